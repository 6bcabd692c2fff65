import { assert } from "vitest"
import { requires } from "../../test/requires.ts"
import { prng } from "../../test/support/Prng.ts"
import { full, holds, seed } from "./holds.ts"
import { only, sleep } from "./waiting.ts"

const kills = full ? 50 : 6

requires(
  "postgres",
  "bubblewrap",
  "root"
)("sessions at work", () => {
  holds(
    `lose nothing and repeat nothing while nodes are killed ${kills} times, by seed ${seed}`,
    async (trial) => {
      const random = prng(seed)
      await Promise.all([trial.runner({ name: "a" }), trial.runner({ name: "b" })])
      const sessions = await Promise.all(Array.from({ length: 4 }, () => trial.open()))
      let isOver = false
      const turns = await Promise.all([
        ...sessions.map(async (session, index) => {
          const own = random.fork(100 + index)
          let said = 0
          while (!isOver) {
            const first = trial.effect(`s${index}`, `sleep ${own.int(3)}; echo done`)
            const words = `say: ${"on and on ".repeat(own.int(40))}.`
            await trial.say(session, first.line, words, trial.effect(`s${index}`).line)
            await trial.ended(session, ++said)
          }
          return said
        }),
        (async () => {
          for (let n = 0; n < kills; n++) {
            await sleep(500 + random.int(2_000))
            await Promise.all([trial.node(), trial.killNode(random.pick(trial.nodes()))])
          }
          isOver = true
          return 0
        })()
      ])
      for (const [index, session] of sessions.entries()) {
        const events = await trial.log(session)
        // Node by node the owners died, and no attempt with them.
        assert.strictEqual(only(events, "TurnCompleted").length, turns[index])
        assert.strictEqual(only(events, "AttemptStarted").length, turns[index])
        assert.isAbove(turns[index]!, 1)
      }
    },
    { nodes: 3 }
  )
})
