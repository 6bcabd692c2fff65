import { assert } from "vitest"
import type { NodeProcess } from "../../packages/server/test/support/NodeProcess.ts"
import { requires } from "../../test/requires.ts"
import { wordsOf } from "../support/System.ts"
import { full, holds } from "./holds.ts"
import { Streams } from "./Streams.ts"
import type { Trial } from "./Trial.ts"
import { eventually, only, sleep } from "./waiting.ts"

const ownerOf = (trial: Trial, session: string): Promise<NodeProcess> =>
  eventually("somebody owns the session", async () => {
    for (const node of trial.nodes()) if (await node.owns(session)) return node
    return undefined
  })

/** All events of a session, as the compatible API lists them. */
const listOf = async (node: NodeProcess, session: string): Promise<ReadonlyArray<string>> => {
  type Listed = { readonly data: ReadonlyArray<{ readonly id: string }> }
  return (await node.api<Listed>(`/sessions/${session}/events?limit=1000`)).data.map(({ id }) => id)
}

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

  holds(
    "that is killed in mid stream costs no reader a word, and shows none twice: not those of other nodes either",
    async (trial) => {
      await trial.runner()
      const session = await trial.open()
      const owner = await ownerOf(trial, session)
      const other = trial.nodes().find((node) => node !== owner)!
      const streams = await Streams.open(other, session)
      try {
        const long = Array.from({ length: full ? 2_500 : 600 }, (_, index) => `word${index}`).join(" ")
        await trial.say(session, `say: ${long}`, trial.effect("after").line)
        await eventually("words are on their way, to whoever reads at another node", () =>
          trial.shown(session) > 100 && streams.deltas().every((count) => count > 0) ? true : undefined
        )
        await trial.killNode(owner)
        const events = await trial.ended(session)
        assert.strictEqual(only(events, "TurnCompleted").length, 1)
        assert.strictEqual(only(events, "AttemptStarted").length, 1)
        assert.include(wordsOf(events), long)
        // Parts of messages may be left out where an owner is new; they come again.
        const before = streams.deltas()
        let turns = 1
        while (streams.deltas().some((count, index) => count === before[index])) {
          assert.isBelow(turns, 10, "no more words are on their way")
          await trial.say(session, "say: and one more thing")
          await trial.ended(session, ++turns)
        }
        const last = (await trial.log(session)).length
        const listed = await listOf(other, session)
        const logs = () => [streams.log.seqs, streams.fed(), streams.rpc]
        await eventually("each of them has come to the end", () =>
          logs().every((seqs) => seqs.length >= last) && streams.shown().length >= listed.length ? true : undefined
        )
        for (const seqs of logs()) {
          assert.deepStrictEqual(
            seqs,
            seqs.map((_, index) => index + 1)
          )
        }
        const shown = streams.shown()
        assert.deepStrictEqual(shown, (await listOf(other, session)).slice(0, shown.length))
        assert.deepStrictEqual(streams.ended, [])
      } finally {
        streams.stop()
      }
    },
    { nodes: 2 }
  )

  holds(
    "that is frozen while a tool runs is taken over, and does no harm when it thaws",
    async (trial) => {
      await trial.runner()
      const session = await trial.open()
      const { line, token } = trial.effect("frozen", `sleep ${full ? 20 : 3}; echo done`)
      await trial.say(session, line, trial.effect("next").line)
      await trial.happened(token)
      const owner = await ownerOf(trial, session)
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
