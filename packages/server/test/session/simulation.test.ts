import { assert, describe, it } from "@effect/vitest"
import { Depth } from "./simulation/Depth.ts"
import { run, shrink, verdict } from "./simulation/run.ts"
import { drawStory } from "./simulation/Story.ts"

const seeds = Number(process.env["TROUPE_SEEDS"] ?? (process.env["TROUPE_FULL"] === "1" ? 2_000 : 300))
const first = Number(process.env["TROUPE_SEED"] ?? 1)

describe("a session under trouble", () => {
  it(`keeps every promise over ${seeds} seeds`, { timeout: 600_000 }, async () => {
    const depth = new Depth()
    for (let seed = first; seed < first + seeds; seed++) {
      const story = drawStory(seed)
      const ending = await run(seed, story)
      if (verdict(ending).length > 0) {
        const shortest = await shrink(seed, story)
        const left = verdict(await run(seed, shortest))
        assert.fail(
          `seed ${seed}: ${left.join("; ")}\nstory: ${JSON.stringify(shortest)}\nagain with TROUPE_SEED=${seed} TROUPE_SEEDS=1`
        )
      }
      depth.merge(ending.depth)
    }
    if (process.env["TROUPE_DEPTH"] === "1") {
      for (const [group, names] of depth.groups)
        process.stdout.write(`${group}: ${[...names].map(([name, times]) => `${name} ${times}`).join(", ")}\n`)
    }
  })
})
