import { Contender } from "../../harness/Contender.ts"
import { bounded, type Result } from "../../harness/Result.ts"
import { interleave, type Side } from "../../harness/rounds.ts"
import type { Bench, Context } from "../../harness/Suite.ts"

const file = new URL("./harnesses.ts", import.meta.url)

const within = async (use: (contender: Contender) => Promise<ReadonlyArray<Result>>) => {
  const contender = await Contender.start(file)
  try {
    return await use(contender)
  } finally {
    await contender.stop()
  }
}

const requests = 100

/** As often as fits into the time, and the median of it. */
const often =
  (once: () => Promise<number>): Side["measure"] =>
  async (ms) => {
    const values: Array<number> = []
    for (const end = performance.now() + ms; performance.now() < end || values.length < 3;) values.push(await once())
    return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
  }

/** What the harness adds to each model request, its call included, over the loop of the SDK alone. */
const overhead: Bench = {
  id: "T-HARNESS",
  about: "the harness over the SDK alone",
  run: ({ plan, say }: Context) =>
    within(async (contender) => {
      const side = (name: string) => ({ name, measure: often(() => contender.request<number>(name, requests)) })
      const values = await interleave([side("ours"), side("sdk")], plan, say)
      const added = values.get("ours")!.map((ms, round) => ms - values.get("sdk")![round]!)
      const metric = `added to a model request with a call, of ${requests} in a turn`
      return [bounded({ id: "T-HARNESS", metric, unit: "ms" }, added, { atMost: 3 })]
    })
}

const pieces = 2_000

/** A long answer on its way to one reader. */
const deltas: Bench = {
  id: "T-DELTAS",
  about: "an answer in pieces",
  run: ({ plan, say }: Context) =>
    within(async (contender) => {
      const measure = often(() => contender.request<number>("deltas", pieces))
      const values = await interleave([{ name: "deltas", measure }], plan, say)
      const metric = `an answer of ${pieces} pieces, from the model to a reader of the runner`
      return [bounded({ id: "T-DELTAS", metric, unit: "pieces/s" }, values.get("deltas")!, { atLeast: 5_000 })]
    })
}

const sessions = 200

/** Many answers at once. */
const crowd: Bench = {
  id: "T-CROWD",
  about: "memory of many streaming sessions",
  run: ({ quick, say }: Context) =>
    within(async (contender) => {
      const load = { sessions, pieces: quick ? 100 : 400, everyMs: 25 }
      const peak = await contender.request<number>("streaming", load)
      say(`  ${sessions} sessions: ${peak.toFixed(0)} MiB`)
      const metric = `the runner's process at its most, with ${sessions} sessions that stream`
      return [bounded({ id: "T-CROWD", metric, unit: "MiB" }, [peak], { atMost: 1_024 })]
    })
}

export const harness = { overhead, deltas, crowd }
