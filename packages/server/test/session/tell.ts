// Tells what one story did: `node packages/server/test/session/tell.ts SEED 'STORY'`.
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { judge } from "../../../../e2e/invariants/judge.ts"
import { play, type Move } from "./world.ts"

const [seed, story] = process.argv.slice(2)
const ending = await Effect.runPromise(
  play(Number(seed), JSON.parse(story!) as ReadonlyArray<Move>).pipe(Effect.provide(TestClock.layer()))
)
for (const [index, event] of ending.events.entries()) {
  const recorded = ending.evidence.sessions[0]!.events[index]!
  console.info(
    recorded.seq,
    recorded.epoch,
    (recorded.recordedAt / 1e6).toFixed(3),
    JSON.stringify(event).slice(0, 220)
  )
}
for (const note of ending.evidence.notes) console.info(JSON.stringify(note))
for (const call of ending.evidence.calls) console.info(JSON.stringify(call))
for (const violation of judge(ending.evidence)) console.info(JSON.stringify(violation))
