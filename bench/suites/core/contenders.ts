import { Contender } from "../../harness/Contender.ts"
import type { Load } from "../../harness/closedLoop.ts"
import type { Database } from "../../harness/Database.ts"
import type { Side } from "../../harness/rounds.ts"

const file = (name: string) => new URL(`./${name}.ts`, import.meta.url)

/** `TROUPE_BENCH_PROFILE=DIR` writes a processor profile of each of our own processes there. */
const profile = process.env.TROUPE_BENCH_PROFILE
const execArgv = profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`]

export const ours = (name: "store" | "actors" | "cold" | "replayer", database: Database, ...flags: Array<string>) =>
  Contender.start(file(name), { env: { DATABASE_URL: database.url }, execArgv: [...flags, ...execArgv] })

/** A side that keeps so many operations of one kind under way. */
export const loadOf = (
  name: string,
  contender: Contender,
  action: string,
  inFlight: number,
  input: object = {},
  seen?: (load: Load) => void
): Side => ({
  name,
  measure: async (ms) => {
    const load = await contender.request<Load>(action, { ...input, inFlight, ms })
    seen?.(load)
    return load.perSecond
  }
})
