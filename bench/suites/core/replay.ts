import { bounded, compared, type Result } from "../../harness/Result.ts"
import { interleave } from "../../harness/rounds.ts"
import type { Bench, Context } from "../../harness/Suite.ts"
import { ours } from "./contenders.ts"

const unit = "events/s per core"

const run = async ({ calibrate, plan, quick, say, server }: Context): Promise<ReadonlyArray<Result>> => {
  const replayer = await ours("replayer", await server.create("p11_replay"))
  try {
    await replayer.request("fill", { events: quick ? 10_000 : 50_000 })
    const { processor } = await calibrate()
    const sides = ["strict", "fast", "bare"].map((name) => ({
      name,
      measure: (ms: number) => replayer.request<number>(name, { ms })
    }))
    const values = await interleave(sides, plan, say)
    const bare = values.get("bare")!
    const strict = { id: "P11", metric: "verified replay: chain, every field, fold", unit }
    const fast = { id: "P11", metric: "the same, trusting the fields", unit }
    return [
      bounded(strict, values.get("strict")!, { atLeast: 150_000 }, processor),
      compared(strict, values.get("strict")!, "its hashes alone", bare, null),
      compared(fast, values.get("fast")!, "its hashes alone", bare, null)
    ]
  } finally {
    await replayer.stop()
  }
}

export const replay: Bench = { id: "P11", about: "verified replay", run }
