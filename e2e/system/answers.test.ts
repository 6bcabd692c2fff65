import type { EventId } from "@troupe/domain/Ids"
import { assert } from "vitest"
import { requires } from "../../test/requires.ts"
import { processesOf } from "../support/leftovers.ts"
import { holds } from "./holds.ts"
import { eventually, only } from "./waiting.ts"

const asking = [{ type: "agent_toolset_20260401", default_config: { permission_policy: { type: "always_ask" } } }]

requires(
  "postgres",
  "bubblewrap",
  "root"
)("people", () => {
  holds("approve a call after everything was killed and started again, and it runs once", async (trial) => {
    const runner = await trial.runner()
    const session = await trial.open({ tools: asking })
    const approved = trial.effect("approved")
    const denied = trial.effect("denied")
    await trial.say(session, approved.line, denied.line)
    const first = await trial.until(session, "TurnSuspended")
    await Promise.all([runner.stop("SIGKILL"), ...trial.nodes().map((node) => trial.killNode(node))])
    await trial.node()
    runner.start()
    const [call] = only(first, "ToolRequested")
    await trial.answer(session, call!.callId, { type: "allow_once" })
    const second = await trial.until(session, "TurnSuspended", 2)
    assert.strictEqual(trial.sink.count(approved.token), 1)
    await trial.answer(session, only(second, "ToolRequested")[1]!.callId, { type: "deny", message: "not that" })
    const events = await trial.ended(session)
    assert.deepStrictEqual(
      only(events, "ToolFinished").map(({ outcome }) => outcome),
      ["succeeded", "denied"]
    )
    assert.strictEqual(only(events, "AttemptStarted").length, 3)
    assert.strictEqual(trial.sink.count(approved.token), 1)
    assert.strictEqual(trial.sink.count(denied.token), 0)
  })

  holds("interrupt a turn, and its whole tree of processes is gone", async (trial) => {
    await trial.runner()
    const session = await trial.open()
    const { line, token } = trial.effect("interrupted", "sleep 600 & (setsid sleep 600 &); sleep 600")
    await trial.say(session, line, trial.effect("never").line)
    await trial.happened(token)
    const [sandbox] = only(await trial.log(session), "SandboxCreated")
    await eventually("it runs", () => (processesOf(sandbox!.sandboxId).length > 3 ? true : undefined))
    const inputId = trial.system.mint("Event") as EventId
    await trial.send(session, { _tag: "Send", inputs: [{ _tag: "Interrupt", inputId, threadId: null }] })
    const events = await trial.until(session, "TurnInterrupted")
    // The runner's word came, and not the deadline.
    assert.isNotNull(only(events, "TurnInterrupted")[0]!.frame)
    assert.strictEqual(only(events, "ToolFinished")[0]!.outcome, "interrupted")
    await eventually("nothing of it runs", () => (processesOf(sandbox!.sandboxId).length === 0 ? true : undefined))
    // The session is there for what comes next.
    await trial.say(session, trial.effect("next").line)
    assert.strictEqual(only(await trial.ended(session, 2), "TurnCompleted").length, 1)
  })

  holds("steer a turn that runs, and what they said is done in it", async (trial) => {
    await trial.runner()
    const session = await trial.open()
    const { line, token } = trial.effect("steered", "sleep 2; echo done")
    await trial.say(session, line)
    await trial.happened(token)
    const more = trial.effect("more")
    await trial.send(session, {
      _tag: "Send",
      inputs: [{ ...trial.system.message(more.line), mode: "steer" } as never]
    })
    const events = await trial.ended(session)
    assert.strictEqual(only(events, "TurnStarted").length, 1)
    assert.strictEqual(only(events, "MessageTaken").length, 2)
    assert.strictEqual(trial.sink.count(more.token), 1)
  })

  holds("pause a session in the middle of a turn, and resume it on another node", async (trial) => {
    await trial.runner()
    const session = await trial.open()
    const { line, token } = trial.effect("paused", "sleep 2; echo done")
    const later = trial.effect("later")
    await trial.say(session, line, later.line)
    await trial.happened(token)
    await trial.send(session, { _tag: "Pause" })
    const paused = await trial.until(session, "TurnSuspended")
    assert.strictEqual(only(paused, "TurnSuspended")[0]!.reason, "paused")
    assert.strictEqual(only(paused, "ToolFinished")[0]!.outcome, "succeeded")
    assert.strictEqual(trial.sink.count(later.token), 0)
    await trial.killNode(trial.nodes()[0]!)
    await trial.node()
    await trial.send(session, { _tag: "Resume" })
    const events = await trial.ended(session)
    assert.strictEqual(only(events, "TurnCompleted").length, 1)
    assert.strictEqual(trial.sink.count(later.token), 1)
  })
})
