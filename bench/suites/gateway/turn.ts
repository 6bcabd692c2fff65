import { processorMs } from "../../harness/Processor.ts"
import { bounded, type Result } from "../../harness/Result.ts"
import { interleave, type Side } from "../../harness/rounds.ts"
import { quantile, spread } from "../../harness/stats.ts"
import type { Bench, Context } from "../../harness/Suite.ts"
import { follow, make, post } from "./http.ts"
import { runnerHome } from "./runnerHome.ts"
import { withWorld, type World } from "./world.ts"

const tools = [{ type: "agent_toolset_20260401", default_config: { permission_policy: { type: "always_allow" } } }]

/** A session that is followed, and the time of a turn of it: from its message to the frame that says that it rests. */
const turnsOf = async ({ origin }: World, agent: string, words: string) => {
  const message = JSON.stringify({ events: [{ type: "user.message", content: [{ type: "text", text: words }] }] })
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

type Turn = Awaited<ReturnType<typeof turnsOf>>

/** Two that wait for no model: one has a model that answers at once, the other takes its message for a command. */
const agents = {
  model: { agent: { name: "instant", model: "instant/echo", tools }, words: "go" },
  shell: { agent: { name: "shell", model: "demo", troupe: { harness: "shell" }, tools }, words: "/bin/true" }
}

const inFlight = 16

/** What is measured of the turns of one kind of agent. */
const measured = async (world: World, name: keyof typeof agents, processor: () => number) => {
  const { agent, words } = agents[name]
  const { id } = await make(world.origin, "/v1/agents", agent)
  const slots = await Promise.all(Array.from({ length: inFlight + 1 }, () => turnsOf(world, id, words)))
  // Each has its place and its shell from here on.
  await Promise.all(slots.map((turn) => turn()))
  const [alone, ...many] = slots as [Turn, ...ReadonlyArray<Turn>]
  const late: Array<number> = []
  const cost: Array<number> = []
  const one = async (ms: number) => {
    const took: Array<number> = []
    for (const end = performance.now() + ms; performance.now() < end || took.length < 5;) took.push(await alone())
    const sorted = took.toSorted((a, b) => a - b)
    late.push(quantile(sorted, 0.99))
    return quantile(sorted, 0.5)
  }
  const together = async (ms: number) => {
    const begun = performance.now()
    const spent = processor()
    let turns = 0
    const slot = async (turn: Turn) => {
      while (performance.now() - begun < ms) {
        await turn()
        turns++
      }
    }
    await Promise.all(many.map(slot))
    cost.push(((processor() - spent) * 1_000) / turns)
    return (turns / (performance.now() - begun)) * 1_000
  }
  const sides: ReadonlyArray<Side> = [
    { name: `${name}, one`, measure: one },
    { name: `${name}, sixteen`, measure: together }
  ]
  // The first of each is the warm-up.
  return { sides, late: () => late.slice(1), processorUs: () => spread(cost.slice(1)).median }
}

const run = async (context: Context): Promise<ReadonlyArray<Result>> =>
  withWorld(context, "p3_http", async (world) => {
    const { calibrate, plan, say, server } = context
    const runner = world.system.runner({ state: runnerHome(), args: ["--capacity", "64"] })
    const processor = () => processorMs(world.pid) + processorMs(runner.pid) + processorMs(server.pid)
    const model = await measured(world, "model", processor)
    const shell = await measured(world, "shell", processor)
    const { commit } = await calibrate()
    const values = await interleave([...model.sides, ...shell.sides], plan, say)
    const subject = (metric: string, unit: string, note: string) => ({ id: "P3", metric, unit, note })
    const asked =
      "a message over HTTP, two requests of a model that answers at once, one call in the session's shell in bubblewrap between them, the working copy captured, the end over SSE"
    const told = "the same without a model: the message is the command, which starts a process"
    const costs = (of: typeof model) => ({ processorUs: of.processorUs() })
    return [
      bounded(subject("a turn over HTTP, p50", "ms", asked), values.get("model, one")!, { atMost: 8 }, commit),
      bounded(subject("a turn over HTTP, p99", "ms", asked), model.late(), { atMost: 40 }, commit),
      bounded(
        { ...subject(`a turn over HTTP, ${inFlight} in flight`, "turns/s", asked), ...costs(model) },
        values.get("model, sixteen")!,
        { atLeast: 100 },
        commit
      ),
      bounded(subject("a turn of the shell harness, p50", "ms", told), values.get("shell, one")!, null),
      bounded(
        { ...subject(`a turn of the shell harness, ${inFlight} in flight`, "turns/s", told), ...costs(shell) },
        values.get("shell, sixteen")!,
        null
      )
    ]
  })

export const turn: Bench = { id: "P3", about: "a turn over HTTP", run }
