import { assert, describe, it } from "@effect/vitest"
import { isDeepStrictEqual } from "node:util"
import { Schema } from "effect"
import { fold } from "../../src/session/evolve.ts"
import { Refusal } from "../../src/session/SessionCommand.ts"
import { isReserved, SessionEvent } from "../../src/session/SessionEvent.ts"
import { SessionState } from "../../src/session/SessionState.ts"
import { Coverage, situations } from "./coverage.ts"
import { drain, play, type Step, storyOf, take } from "./simulation.ts"
import { World } from "./world.ts"

const seeds = Number(process.env["SEEDS"] ?? 2_000)
const firstSeed = Number(process.env["SEED"] ?? 1)
const length = 120

/** The shortest story that still goes wrong: steps are dropped, many at a time and then singly, while it does. */
const shrink = (story: ReadonlyArray<Step>): ReadonlyArray<Step> => {
  const fails = (steps: ReadonlyArray<Step>): boolean => {
    try {
      play(steps)
      return false
    } catch {
      return true
    }
  }
  let shortest = story
  for (let size = Math.ceil(story.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < shortest.length;) {
      const shorter = shortest.toSpliced(at, size)
      if (fails(shorter)) shortest = shorter
      else at += size
    }
  }
  return shortest
}

const explain = (seed: number, story: ReadonlyArray<Step>): string => {
  const world = new World(new Coverage())
  try {
    for (const step of story) take(world, step)
    drain(world)
  } catch (error) {
    return [
      `seed ${seed}: ${String(error)}`,
      ...world.told.slice(-60).map((body) => JSON.stringify(body).slice(0, 400))
    ].join("\n")
  }
  return `seed ${seed} goes wrong only sometimes`
}

const stored = Schema.toCodecJson(SessionState)
const encode = Schema.encodeSync(stored)
const decode = Schema.decodeSync(stored)

describe("sessions in trouble", () => {
  const coverage = new Coverage()

  it("keep every promise at every step, and come to rest", () => {
    for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
      const story = storyOf(seed, length)
      let world: World
      try {
        world = play(story, coverage)
      } catch {
        assert.fail(explain(seed, shrink(story)))
      }
      assert.isTrue(isDeepStrictEqual(fold(world.log), world.state), `seed ${seed}: the log does not lead to the state`)
      if (seed % 20 > 0) continue
      assert.isTrue(isDeepStrictEqual(decode(encode(world.state)), world.state), `seed ${seed}: it cannot be stored`)
    }
  }, 120_000)

  it("meet everything that can happen", () => {
    // A few seeds, asked for by hand, need not.
    if (seeds < 2_000) return
    const events = Object.keys(SessionEvent.cases).filter((tag) => !isReserved(tag))
    assert.deepStrictEqual(
      events.filter((tag) => !coverage.events.has(tag)),
      []
    )
    assert.deepStrictEqual(
      Object.keys(Refusal.cases).filter((tag) => !coverage.refusals.has(tag)),
      []
    )
    const trouble = situations.flatMap((name) => ["interrupt", "pause", "lose"].map((kind) => `${kind} ${name}`))
    assert.deepStrictEqual(
      trouble.filter((one) => (coverage.trouble.get(one) ?? 0) < 10),
      []
    )
  })
})
