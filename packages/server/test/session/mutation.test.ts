import { assert, describe, it } from "@effect/vitest"
import type { Unsafe } from "./simulation/play.ts"
import { run, verdict } from "./simulation/run.ts"
import { drawStory } from "./simulation/Story.ts"

/** The promises that seeds break, with the first seed for each. */
const broken = async (unsafe: Unsafe, seeds: number) => {
  const first = new Map<string, string>()
  for (let seed = 1; seed <= seeds; seed++) {
    const story = drawStory(seed)
    for (const problem of verdict(await run(seed, story, unsafe))) {
      const name = problem.replace(/[a-z]+_01\w+/g, "…").replace(/[0-9]+/g, "N").slice(0, 90)
      if (!first.has(name)) first.set(name, `${seed}`)
    }
  }
  return first
}

describe("x", () => {
  for (const unsafe of ["fencing", "duplicates", "outputGate", "gapFreeReading", "intentGate"] as const) {
    it(unsafe, { timeout: 100_000 }, async () => {
      process.stdout.write(unsafe + " " + JSON.stringify([...(await broken(unsafe, 60))], null, 1) + "\n")
      assert.ok(true)
    })
  }
})
