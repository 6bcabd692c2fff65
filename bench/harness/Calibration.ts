import { createHash } from "node:crypto"
import type { Database } from "./Database.ts"
import { payloadOf } from "./payload.ts"
import { pgbench, singleRow } from "./Pgbench.ts"
import { spread } from "./stats.ts"

/** How much slower this machine is now than the one that budgets in milliseconds are written for. */
export interface Calibration {
  readonly spinMs: number
  /** One prepared insert and its commit, alone: pgbench's mean. Null where there is no pgbench. */
  readonly commitMs: number | null
  /** For work of the processor. */
  readonly processor: { readonly factor: number; readonly of: string }
  /** For work that waits for commits. */
  readonly commit: { readonly factor: number; readonly of: string }
}

/** Medians of the reference: two cores of a Debian 12 virtual machine at rest. */
const reference = { spinMs: 15, commitMs: 0.35 }

/** A fixed piece of the work that servers do most: parsing and hashing. */
const spin = (): number => {
  const payload = payloadOf("spin")
  const begun = performance.now()
  for (let i = 0; i < 10_000; i++) {
    const { text } = JSON.parse(payload) as { text: string }
    createHash("sha256").update(text).digest("hex")
  }
  return performance.now() - begun
}

/** Never below one: a faster machine is held to the same milliseconds. */
const factor = (now: number, then: number) => Math.max(1, now / then)

export const calibrate = async (path: string | undefined, database: Database): Promise<Calibration> => {
  spin()
  const spinMs = spread(Array.from({ length: 9 }, spin)).median
  const variables = { payload: payloadOf("calibration") }
  const commitMs =
    path === undefined
      ? null
      : (await pgbench(path, database, { script: singleRow.script, clients: 1, ms: 2_000, variables })).latencyMs
  const processor = {
    factor: factor(spinMs, reference.spinMs),
    of: `spin ${spinMs.toFixed(0)} ms against ${reference.spinMs}`
  }
  const commit =
    commitMs === null
      ? processor
      : {
          factor: factor(commitMs, reference.commitMs),
          of: `pgbench alone ${commitMs.toFixed(2)} ms against ${reference.commitMs}`
        }
  return { spinMs, commitMs, processor, commit }
}
