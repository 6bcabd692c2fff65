import { assert, describe, it } from "@effect/vitest"
import { hash } from "node:crypto"
import { missing } from "./simulation/coverage.ts"
import { Depth } from "./simulation/Depth.ts"
import type { Ending } from "./simulation/play.ts"
import { run, shrink, verdict } from "./simulation/run.ts"
import { drawStory } from "./simulation/Story.ts"

/** What a full run has for its seeds; half of that is what it takes. */
const fullRun = { seeds: 2_000, secondsMax: 180 }
const runs = Number(process.env["TROUPE_SEEDS"] ?? (process.env["TROUPE_FULL"] === "1" ? fullRun.seeds : 300))
const first = Number(process.env["TROUPE_SEED"] ?? 1)

const fail = async (seed: number): Promise<never> => {
  const shortest = await shrink(seed, drawStory(seed))
  const problems = verdict(await run(seed, shortest))
  return assert.fail(
    [
      `seed ${seed}: ${problems.join("; ")}`,
      `what happens: node packages/server/test/session/tell.ts ${seed} '${JSON.stringify(shortest)}'`,
      `again: TROUPE_SEED=${seed} TROUPE_SEEDS=1`
    ].join("\n")
  )
}

/** All that a run left behind, as one hash. */
const trace = ({ evidence }: Ending): string => hash("sha256", JSON.stringify(evidence))

describe("a session under trouble", () => {
  it(
    `keeps every promise over ${runs} seeds, and meets everything there is to meet`,
    { timeout: 600_000 },
    async () => {
      const depth = new Depth()
      const began = performance.now()
      for (let seed = first; seed < first + runs; seed++) {
        const ending = await run(seed, drawStory(seed))
        if (verdict(ending).length > 0) await fail(seed)
        depth.merge(ending.depth)
      }
      const seconds = (performance.now() - began) / 1_000
      process.stdout.write(`${runs} seeds in ${seconds.toFixed(1)} s\n`)
      if (process.env["TROUPE_DEPTH"] === "1") process.stdout.write(`${depth}\n`)
      if (runs === fullRun.seeds) assert.isAtMost(seconds, fullRun.secondsMax)
      if (runs < 300) return
      assert.deepStrictEqual(missing(depth, runs), [])
      // And not just once: most of what happens happens to work that is under way.
      assert.isAbove(depth.count("event", "AttemptStarted"), runs)
      assert.isAbove(depth.count("event", "ToolStarted"), runs)
      assert.isAbove(depth.count("event", "AttemptLost"), runs / 6)
      assert.isAbove(depth.count("event", "TurnInterrupted"), runs / 6)
      assert.isAbove(depth.count("owner", "stopped"), runs / 3)
      assert.isAbove(depth.count("answer", "accepted before"), runs)
      for (const fault of ["failBefore", "failAfter", "slow"]) assert.isAbove(depth.count("fault", fault), runs / 3)
    }
  )

  it("refuses what no queue holds, and loses nothing of what it took", { timeout: 60_000 }, async () => {
    const calm = ["flood", "evict", "pass", "crash", "pass"] as const
    const ending = await run(
      1,
      calm.map((kind) => ({ kind, roll: 1 }))
    )
    assert.deepStrictEqual(verdict(ending), [])
    assert.isAbove(ending.depth.count("refusal", "QueueFull"), 0)
    assert.isAbove(ending.depth.count("event", "TurnQueued"), 500)
  })

  it("goes the same way every time that its seed is the same", { timeout: 60_000 }, async () => {
    for (const seed of [3, 14, 15, 92, 65, 35]) {
      const story = drawStory(seed)
      assert.strictEqual(trace(await run(seed, story)), trace(await run(seed, story)), `seed ${seed}`)
    }
  })
})
