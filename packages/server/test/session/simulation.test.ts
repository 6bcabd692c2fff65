import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { judge } from "../../../../e2e/invariants/judge.ts"
import { prng } from "../support/Prng.ts"
import { play, type Ending, type Move } from "./world.ts"

const kinds: ReadonlyArray<readonly [Move["kind"], number]> = [
  ["command", 40],
  ["pass", 26],
  ["repeat", 6],
  ["reuse", 2],
  ["evict", 5],
  ["takeover", 3],
  ["long", 4],
  ["away", 5],
  ["faults", 6],
  ["placement", 3]
]

const story = (seed: number): ReadonlyArray<Move> => {
  const random = prng(seed)
  const total = kinds.reduce((sum, [, weight]) => sum + weight, 0)
  return Array.from({ length: 5 + random.int(45) }, () => {
    let at = random.int(total)
    const [kind] = kinds.find(([, weight]) => (at -= weight) < 0)!
    return { kind, roll: random.int(2 ** 31) }
  })
}

const run = (seed: number, moves: ReadonlyArray<Move>): Promise<Ending> =>
  Effect.runPromise(play(seed, moves).pipe(Effect.provide(TestClock.layer())))

const problems = async (seed: number, moves: ReadonlyArray<Move>): Promise<ReadonlyArray<string>> => {
  const { evidence } = await run(seed, moves)
  return judge(evidence).map(({ detail, invariant }) => `${invariant}: ${detail}`)
}

/** The shortest story found that still breaks a promise: moves are dropped, in ever smaller pieces, while it does. */
const shrink = async (seed: number, moves: ReadonlyArray<Move>): Promise<ReadonlyArray<Move>> => {
  let best = moves
  for (let size = Math.ceil(best.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.length;) {
      const shorter = [...best.slice(0, at), ...best.slice(at + size)]
      if ((await problems(seed, shorter)).length > 0) best = shorter
      else at += size
    }
  }
  return best
}

const seeds = Number(process.env["TROUPE_SEEDS"] ?? 300)
const first = Number(process.env["TROUPE_SEED"] ?? 1)

describe("a session under trouble", () => {
  it(`keeps every promise over ${seeds} seeds`, { timeout: 600_000 }, async () => {
    const tags = new Set<string>()
    const refusals = new Set<string>()
    const errors = new Set<string>()
    for (let seed = first; seed < first + seeds; seed++) {
      const moves = story(seed)
      const ending = await run(seed, moves)
      const violations = judge(ending.evidence)
      if (violations.length > 0) {
        const shortest = await shrink(seed, moves)
        const left = await problems(seed, shortest)
        assert.fail(
          `seed ${seed}: ${left.join("; ")}\nstory: ${JSON.stringify(shortest)}\nagain with TROUPE_SEED=${seed} TROUPE_SEEDS=1`
        )
      }
      for (const event of ending.events) tags.add(event._tag)
      for (const refusal of ending.refusals) refusals.add(refusal)
      for (const error of ending.errors) errors.add(error)
    }
  })
})
