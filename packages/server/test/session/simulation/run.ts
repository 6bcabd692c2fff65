import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { judge } from "../../../../../e2e/invariants/judge.ts"
import { play, type Ending } from "./play.ts"
import type { Story } from "./Story.ts"
import type { Unsafe } from "./World.ts"

export const run = (seed: number, story: Story, unsafe?: Unsafe): Promise<Ending> =>
  Effect.runPromise(play(seed, story, unsafe).pipe(Effect.provide(TestClock.layer())))

/** What is wrong with an ending, if anything. */
export const verdict = ({ evidence, problems }: Ending): ReadonlyArray<string> => [
  ...judge(evidence).map(({ detail, invariant }) => `${invariant}: ${detail}`),
  ...problems
]

const isBroken = async (seed: number, story: Story): Promise<boolean> => verdict(await run(seed, story)).length > 0

/** The shortest story found that still breaks a promise: moves are dropped, in ever smaller pieces, while it does. */
export const shrink = async (seed: number, story: Story): Promise<Story> => {
  let best = story
  for (let size = Math.ceil(best.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.length;) {
      const shorter = [...best.slice(0, at), ...best.slice(at + size)]
      if (await isBroken(seed, shorter)) best = shorter
      else at += size
    }
  }
  return best
}
