import { Contender } from "../../harness/Contender.ts"
import { bounded, compared, type Result } from "../../harness/Result.ts"
import { interleave } from "../../harness/rounds.ts"
import { spread } from "../../harness/stats.ts"
import type { Bench, Context } from "../../harness/Suite.ts"
import { peers } from "../../peers/install.ts"
import { ours } from "./contenders.ts"

const cases = [
  { events: 100, snapshot: false, atMost: 5 },
  { events: 1_000, snapshot: false, atMost: 10 },
  { events: 10_000, snapshot: false, atMost: 60 },
  { events: 10_000, snapshot: true, atMost: 8 }
]

const unit = "ms"

const run = async ({ calibrate, plan, quick, say, server }: Context): Promise<ReadonlyArray<Result>> => {
  const results: Array<Result> = []
  const cold = await ours("cold", await server.createMigrated("p6_cold"))
  const emmett = await Contender.start(peers.emmett, { env: { DATABASE_URL: (await server.create("p6_emmett")).url } })
  const times = quick ? 5 : 15
  try {
    for (const { events } of cases.slice(0, 3)) {
      await cold.request("fill", { events })
      await emmett.request("fill", { events, stream: `s-${events}` })
    }
    for (const { atMost, events, snapshot } of cases) {
      const aggregate = { stream: `s-${events}`, times }
      const sides = [
        {
          name: "ours",
          measure: async () => spread(await cold.request<Array<number>>("activate", { events, snapshot, times })).median
        },
        {
          name: "emmett",
          measure: async () =>
            spread((await emmett.request<{ taken: Array<number> }>("aggregate", aggregate)).taken).median
        }
      ]
      const { processor } = await calibrate()
      const values = await interleave(sides, plan, say)
      const what = `first answer of a cold session of ${events.toLocaleString("en-US")}`
      const subject = { id: "P6", metric: `${what}${snapshot ? ", snapshot" : ""}`, unit }
      const us = values.get("ours")!
      results.push(bounded(subject, us, { atMost }, processor))
      results.push(compared(subject, us, "emmett aggregateStream", values.get("emmett")!, { atMost: 0.2 }))
    }
  } finally {
    await Promise.all([cold.stop(), emmett.stop()])
  }
  return results
}

export const activation: Bench = { id: "P6", about: "first answer of a cold session", run }
