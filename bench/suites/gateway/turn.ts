import { bounded, type Result } from "../../harness/Result.ts"
import { interleave } from "../../harness/rounds.ts"
import { quantile } from "../../harness/stats.ts"
import type { Bench, Context } from "../../harness/Suite.ts"
import { follow, make, post } from "./http.ts"
import { withWorld, type World } from "./world.ts"

const message = JSON.stringify({
  events: [{ type: "user.message", content: [{ type: "text", text: "true" }] }]
})

/** A session that is followed, and the time of a turn of it: from its message to the frame that says that it rests. */
const turnsOf = async ({ origin }: World, agent: string) => {
  const session = (await make(origin, "/v1/sessions", { agent })).id as string
  let rests: () => void = () => undefined
  await follow(origin, `/v1/sessions/${session}/events/stream`, (frame) => {
    if (frame.toString("latin1", 0, 40).startsWith("event: session.status_idle")) rests()
  })
  return async () => {
    const begun = performance.now()
    const rested = new Promise<void>((resolve) => (rests = resolve))
    await post(origin, `/v1/sessions/${session}/events`, message)
    await rested
    return performance.now() - begun
  }
}

const run = async (context: Context): Promise<ReadonlyArray<Result>> =>
  withWorld(context, "p3_http", async (world) => {
    const { calibrate, plan, say } = context
    world.system.runner({ args: ["--capacity", "64"] })
    // No model: the message is the call that the harness makes.
    const { id: agent } = await make(world.origin, "/v1/agents", {
      name: "shell",
      model: "demo",
      troupe: { harness: "shell" },
      tools: [{ type: "agent_toolset_20260401", default_config: { permission_policy: { type: "always_allow" } } }]
    })
    const alone = await turnsOf(world, agent)
    await alone()
    const many = await Promise.all(Array.from({ length: 16 }, () => turnsOf(world, agent)))
    await Promise.all(many.map((turn) => turn()))
    const late: Array<number> = []
    const one = async (ms: number) => {
      const took: Array<number> = []
      for (const end = performance.now() + ms; performance.now() < end || took.length < 5;) took.push(await alone())
      const sorted = took.toSorted((a, b) => a - b)
      late.push(quantile(sorted, 0.99))
      return quantile(sorted, 0.5)
    }
    const together = async (ms: number) => {
      const begun = performance.now()
      let turns = 0
      const slot = async (turn: () => Promise<number>) => {
        while (performance.now() - begun < ms) {
          await turn()
          turns++
        }
      }
      await Promise.all(many.map(slot))
      return (turns / (performance.now() - begun)) * 1_000
    }
    const { commit } = await calibrate()
    const values = await interleave(
      [
        { name: "one", measure: one },
        { name: "sixteen", measure: together }
      ],
      plan,
      say
    )
    const note =
      "a message over HTTP, one call in the session's shell in bubblewrap, the working copy captured, the end over SSE"
    const subject = (metric: string, unit: string) => ({ id: "P3", metric: `a turn over HTTP, ${metric}`, unit, note })
    return [
      bounded(subject("p50", "ms"), values.get("one")!, { atMost: 8 }, commit),
      bounded(subject("p99", "ms"), late.slice(1), { atMost: 40 }, commit),
      bounded(subject("16 in flight", "turns/s"), values.get("sixteen")!, { atLeast: 100 }, commit)
    ]
  })

export const turn: Bench = { id: "P3", about: "a turn over HTTP", run }
