import { assert } from "vitest"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { requires } from "../../test/requires.ts"
import { processesOf } from "../support/leftovers.ts"
import { full, holds } from "./holds.ts"
import { eventually, only, sleep } from "./waiting.ts"

const leaseMs = 5_000

requires(
  "postgres",
  "bubblewrap",
  "root"
)("a runner", () => {
  holds("that is killed while a tool runs keeps what it knew, and the turn asks about the rest", async (trial) => {
    const runner = await trial.runner()
    const session = await trial.open()
    const known = trial.effect("known")
    const doubtful = trial.effect("doubtful", "sleep 600")
    await trial.say(session, known.line, doubtful.line, trial.effect("after").line)
    await trial.happened(doubtful.token)
    const [sandbox] = only(await trial.log(session), "SandboxCreated")
    await runner.stop("SIGKILL")
    runner.start()
    const asked = await trial.until(session, "RetryAsked")
    assert.deepStrictEqual(
      only(asked, "ToolFinished").map(({ outcome }) => outcome),
      ["succeeded", "unknown"]
    )
    await eventually("what ran is dead", () => (processesOf(sandbox!.sandboxId).length === 0 ? true : undefined))
    await trial.send(session, { _tag: "RetryTurn", turnId: only(asked, "RetryAsked")[0]!.turnId })
    const events = await trial.ended(session)
    assert.strictEqual(only(events, "TurnCompleted").length, 1)
    assert.strictEqual(trial.sink.count(doubtful.token), 1)
  })

  holds(
    "that is killed while the model speaks is back within the lease, and the turn is tried again",
    async (trial) => {
      const runner = await trial.runner()
      const session = await trial.open()
      const { line, token } = trial.effect("spoken")
      await trial.say(session, line, `say: ${"and so on ".repeat(full ? 300 : 200)}`, trial.effect("after").line)
      await trial.happened(token)
      await eventually("words are on their way", () => (trial.shown(session) > 100 ? true : undefined))
      await runner.stop("SIGKILL")
      runner.start()
      const events = await trial.ended(session)
      assert.strictEqual(only(events, "TurnCompleted").length, 1)
      assert.strictEqual(only(events, "AttemptStarted").length, 2)
      assert.strictEqual(only(events, "SandboxLost").length, 0)
    }
  )

  holds("whose disk is lost has lost the attempt, and nothing is repeated", async (trial) => {
    const runner = await trial.runner()
    const session = await trial.open()
    const { line, token } = trial.effect("lost", "sleep 600")
    await trial.say(session, line, trial.effect("after").line)
    await trial.happened(token)
    await trial.loseDisk(runner)
    runner.start()
    const asked = await trial.until(session, "RetryAsked")
    assert.strictEqual(only(asked, "AttemptLost").length, 1)
    assert.strictEqual(only(asked, "ToolFinished")[0]!.outcome, "unknown")
    await trial.send(session, { _tag: "RetryTurn", turnId: only(asked, "RetryAsked")[0]!.turnId })
    const events = await trial.ended(session)
    assert.strictEqual(only(events, "TurnCompleted").length, 1)
    assert.strictEqual(only(events, "SandboxLost").length, 1)
    assert.strictEqual(only(events, "WorkingCopyRewound").length, 1)
  })

  holds("that is frozen for less than its lease goes on where it was", async (trial) => {
    const runner = await trial.runner()
    const session = await trial.open()
    const { line, token } = trial.effect("frozen", "sleep 2; echo done")
    await trial.say(session, line, trial.effect("next").line)
    await trial.happened(token)
    runner.signal("SIGSTOP")
    // Longer than a ping may stay unanswered: the node has given the link up.
    await sleep(full ? 40_000 : 18_000)
    runner.signal("SIGCONT")
    const events = await trial.ended(session)
    assert.strictEqual(only(events, "TurnCompleted").length, 1)
    assert.strictEqual(only(events, "AttemptStarted").length, 1)
  })

  holds(
    "that is frozen beyond its lease has lost the attempt, and learns so when it thaws",
    async (trial) => {
      const runner = await trial.runner()
      const session = await trial.open()
      const { line, token } = trial.effect("late", "sleep 2; echo done")
      await trial.say(session, line, trial.effect("never").line)
      await trial.happened(token)
      runner.signal("SIGSTOP")
      const asked = await trial.until(session, "RetryAsked")
      assert.strictEqual(only(asked, "AttemptLost")[0]!.reason, "the runner was not heard")
      assert.strictEqual(only(asked, "ToolFinished")[0]!.outcome, "unknown")
      runner.signal("SIGCONT")
      await eventually("the runner forgets the attempt", () =>
        readdirSync(join(runner.state, "journal/attempts")).length === 0 ? true : undefined
      )
      await trial.send(session, { _tag: "RetryTurn", turnId: only(asked, "RetryAsked")[0]!.turnId })
      await trial.ended(session)
    },
    full ? {} : { contactLeaseMs: leaseMs }
  )
})
