import { assert } from "vitest"
import { requires } from "../../test/requires.ts"
import { wordsOf } from "../support/System.ts"
import { full, holds } from "./holds.ts"
import { eventually, only, sleep } from "./waiting.ts"

requires(
  "postgres",
  "bubblewrap",
  "root"
)("a node", () => {
  holds("that is killed while a tool runs costs nothing: the command goes on, and runs once", async (trial) => {
    await trial.runner()
    const session = await trial.open()
    const { line, token } = trial.effect("sleep", "sleep 5; echo done")
    await trial.say(session, line)
    await trial.happened(token)
    await trial.killNode(trial.nodes()[0]!)
    await trial.node()
    const events = await trial.ended(session)
    assert.strictEqual(only(events, "TurnCompleted").length, 1)
    assert.strictEqual(only(events, "AttemptStarted").length, 1)
    assert.strictEqual(only(events, "ToolStarted").length, 1)
    assert.strictEqual(only(events, "ToolFinished")[0]!.outcome, "succeeded")
    assert.include(wordsOf(events), "done")
    assert.strictEqual(trial.sink.count(token), 1)
  })

  holds("that is killed in mid stream costs no reader a word, and shows none twice", async (trial) => {
    await trial.runner()
    const session = await trial.open()
    const long = Array.from({ length: full ? 2_500 : 600 }, (_, index) => `word${index}`).join(" ")
    await trial.say(session, `say: ${long}`, trial.effect("after").line)
    await eventually("words are on their way", () => (trial.shown(session) > 100 ? true : undefined))
    await trial.killNode(trial.nodes()[0]!)
    await trial.node()
    const events = await trial.ended(session)
    assert.strictEqual(only(events, "TurnCompleted").length, 1)
    assert.strictEqual(only(events, "AttemptStarted").length, 1)
    assert.include(wordsOf(events), long)
  })

  holds(
    "that is frozen while a tool runs is taken over, and does no harm when it thaws",
    async (trial) => {
      await trial.runner()
      const session = await trial.open()
      const { line, token } = trial.effect("frozen", `sleep ${full ? 20 : 3}; echo done`)
      await trial.say(session, line, trial.effect("next").line)
      await trial.happened(token)
      const owner = await eventually("somebody owns the session", async () => {
        for (const node of trial.nodes()) if (await node.owns(session)) return node
        return undefined
      })
      trial.freeze(owner)
      // Longer than the lock's expiry: the other owns everything before this one wakes up and still believes.
      await sleep(full ? 90_000 : 14_000)
      trial.thaw(owner)
      const events = await trial.ended(session)
      assert.strictEqual(only(events, "TurnCompleted").length, 1)
      assert.strictEqual(only(events, "AttemptStarted").length, 1)
    },
    { nodes: 2 }
  )

  holds("that stops is left in order: its runner dials another, and the turn goes on", async (trial) => {
    await trial.runner()
    const session = await trial.open()
    const { line, token } = trial.effect("stop", "sleep 3; echo done")
    await trial.say(session, line)
    await trial.happened(token)
    const [first] = trial.nodes()
    await Promise.all([trial.node(), first!.end("SIGTERM")])
    const events = await trial.ended(session)
    assert.strictEqual(only(events, "AttemptStarted").length, 1)
    assert.strictEqual(only(events, "ToolFinished")[0]!.outcome, "succeeded")
  })
})
