import { assert } from "vitest"
import type { SessionId } from "@troupe/domain/Ids"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import { demoServer, overflowing } from "../../packages/runner/test/support/demoServer.ts"
import { requires } from "../../test/requires.ts"
import type { RunnerHost } from "../support/RunnerHost.ts"
import { full, holds, seed } from "./holds.ts"
import type { Trial } from "./Trial.ts"
import { eventually, only } from "./waiting.ts"

const asking = [{ type: "agent_toolset_20260401", default_config: { permission_policy: { type: "always_ask" } } }]

/** A place in a turn, as the log or a reader shows it. */
interface Stage {
  readonly name: string
  readonly lines?: ReadonlyArray<string>
  readonly asks?: true
  readonly reached: (trial: Trial, session: SessionId, token: string) => Promise<unknown>
}

const tag =
  (wanted: SessionEvent["_tag"], count = 1): Stage["reached"] =>
  (trial, session) =>
    trial.until(session, wanted, count)

const stages: ReadonlyArray<Stage> = [
  { name: "its model is asked", reached: tag("ModelRequestStarted") },
  {
    name: "its model speaks",
    reached: (trial, session) =>
      eventually("words are on their way", () => (trial.shown(session) > 40 ? true : undefined))
  },
  { name: "a call is asked for", reached: tag("ToolRequested") },
  { name: "a call waits for a person", asks: true, reached: tag("TurnSuspended") },
  { name: "a call runs", reached: (trial, _session, token) => trial.happened(token) },
  { name: "a call has ended", reached: tag("ToolFinished") },
  { name: "its model is asked again", reached: tag("ModelRequestStarted", 2) },
  { name: "its model was busy", lines: ["be busy once"], reached: tag("TurnRescheduled") },
  { name: "its conversation was summed up", lines: [overflowing], reached: tag("ContextCompacted") },
  { name: "its working copy is captured", reached: tag("WorkingCopyCaptured") }
]

const models = ["claude-test", "gpt-4.1"]

const victims = ["node", "runner", "both"] as const
type Victim = (typeof victims)[number]

/** All stages in full. Where time is short, each victim has a third of them, and another one by each seed. */
const stagesOf = (victim: Victim) =>
  stages.filter((_, index) => full || index % victims.length === (seed + victims.indexOf(victim)) % victims.length)

const kill = async (trial: Trial, runner: RunnerHost, victim: Victim) => {
  const [node] = trial.nodes()
  const before = runner.output.length
  if (victim !== "node") await runner.stop("SIGKILL")
  if (victim !== "runner") await Promise.all([trial.killNode(node!), trial.node()])
  if (victim !== "node") runner.start()
  return () => runner.output.slice(before).join("")
}

const approve = async (trial: Trial, session: SessionId) => {
  const [call] = only(await trial.log(session), "ToolRequested")
  await trial.answer(session, call!.callId, { type: "allow_session" })
}

/** Turns over a provider by HTTP, each of which loses its node, its runner or both at one of its stages. */
const story = (victim: Victim) => async (trial: Trial) => {
  const server = demoServer({ latency: 15 })
  let refused = 0
  server.prependFixture({
    match: { predicate: ({ messages }) => JSON.stringify(messages).includes("be busy once") && refused++ === 0 },
    response: { error: { message: "slow down" }, status: 429, retryAfter: 2 }
  })
  await server.start()
  try {
    const env = {
      ANTHROPIC_API_KEY: "a key for tests",
      ANTHROPIC_BASE_URL: server.url,
      OPENAI_API_KEY: "a key for tests",
      OPENAI_BASE_URL: `${server.url}/v1`
    }
    const runner = await trial.runner({ env })
    let said = () => ""
    for (const [index, { asks, lines = [], name, reached }] of stagesOf(victim).entries()) {
      const model = models[index % models.length]!
      const session = await trial.open({ model, ...(asks === true ? { tools: asking } : {}) })
      const first = trial.effect("first", "sleep 1; echo done")
      const last = trial.effect("last")
      await trial.say(session, ...lines, `say: ${"and so on ".repeat(12)}`, first.line, last.line)
      await reached(trial, session, first.token)
      said = await kill(trial, runner, victim)
      if (asks === true) await approve(trial, session)
      await trial.settle(session)
      assert.strictEqual(only(await trial.log(session), "TurnCompleted").length, 1, name)
    }
    if (victim !== "node") {
      // Told to end before that, it would leave it to the next one.
      await eventually("what was left is seen to", () => (said().includes("Saw to what") ? true : undefined))
    }
    // Whatever was asked for is in the log, and has its end there: nothing is paid for that nobody knows of.
    const logs = await trial.logs()
    const begun = only(logs, "ModelRequestStarted").map(({ requestId }) => requestId)
    assert.deepStrictEqual(
      begun.toSorted(),
      only(logs, "ModelRequestEnded")
        .map(({ requestId }) => requestId)
        .toSorted()
    )
    assert.isAtMost(server.getRequests().length, begun.length)
  } finally {
    await server.stop()
  }
}

requires(
  "postgres",
  "bubblewrap",
  "root"
)("a turn over a provider", () => {
  // Where time is short, both are lost at once: what befalls one of them alone is told by others as well.
  for (const victim of victims.filter((one) => full || one === "both")) {
    const who = victim === "both" ? "its node and its runner" : `its ${victim}`
    holds(`loses ${who} at each of its stages, and comes to its end`, story(victim))
  }
})
