import { capture } from "@troupe/runner/workingcopy/Checkpoints"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { compared } from "../../harness/Result.ts"
import type { Bench } from "../../harness/Suite.ts"

const files = 10_000
const peer = "tar c | sha256sum"

/** Counts what arrives and keeps nothing, so that reading and hashing is what is measured. */
const nowhere = () => {
  const seen = new Set<string>()
  return {
    missing: (digests: ReadonlyArray<string>) => Effect.sync(() => digests.filter((digest) => !seen.has(digest))),
    put: (blobs: ReadonlyArray<{ readonly sha256: string }>) =>
      Effect.sync(() => blobs.forEach(({ sha256 }) => seen.add(sha256)))
  }
}

const plant = (root: string) => {
  for (let n = 0; n < files; n++) {
    const directory = join(root, `d${n % 100}`)
    if (n < 100) mkdirSync(directory)
    writeFileSync(join(directory, `f${n}`), randomBytes(200 + ((n * 7_919) % 8_000)).toString("hex"))
  }
}

const timed = async (work: () => unknown) => {
  const began = performance.now()
  await work()
  return performance.now() - began
}

/** A checkpoint of 10,000 files, with nothing known of them and with nothing changed, against reading them once. */
export const captureBench: Bench = {
  id: "R-CAPTURE",
  about: "capture of 10,000 files",
  run: async ({ plan }) => {
    const home = mkdtempSync(join(tmpdir(), "troupe-bench-"))
    const root = join(home, "tree")
    try {
      mkdirSync(root)
      plant(root)
      // A capture trusts no time that is not past.
      await new Promise((resolve) => setTimeout(resolve, 2_500))
      const take = (state: string, blobs = nowhere()) => Effect.runPromise(capture({ root: { root }, state }, blobs))
      const known = nowhere()
      await take(join(home, "warm"), known)
      const [cold, warm, tar]: [Array<number>, Array<number>, Array<number>] = [[], [], []]
      for (let round = 0; round < Math.max(5, plan.rounds); round++) {
        cold.push(await timed(() => take(join(home, `cold${round}`))))
        tar.push(await timed(() => spawnSync("sh", ["-c", 'tar c "$0" | sha256sum', root], { stdio: "ignore" })))
        warm.push(await timed(() => take(join(home, "warm"), known)))
      }
      const subject = (metric: string) => ({ id: "R-CAPTURE", metric, unit: "ms" })
      return [
        compared(subject("cold"), cold, peer, tar, { atMost: 3 }),
        compared(subject("unchanged"), warm, peer, tar, { atMost: 2 })
      ]
    } finally {
      rmSync(home, { recursive: true, force: true })
    }
  }
}
