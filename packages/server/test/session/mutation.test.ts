import { assert, describe, it } from "@effect/vitest"
import { judge } from "../../../../e2e/invariants/judge.ts"
import type { Unsafe } from "./simulation/play.ts"
import { run } from "./simulation/run.ts"
import { drawStory } from "./simulation/Story.ts"

/** What each safeguard holds up: the promise that breaks without it, and how the judge says so. */
const safeguards: Record<Unsafe, { readonly invariant: string; readonly says: RegExp }> = {
  // The store takes an append whatever epoch it carries.
  fencing: { invariant: "INV-5", says: /^epoch \d+ wrote \d+ after \d+ was taken/ },
  // The store knows no command again.
  duplicates: { invariant: "INV-2", says: /is in the log 2 times/ },
  // The actor answers, publishes and reacts before its append is committed.
  outputGate: { invariant: "INV-1", says: /was accepted and is not in the log/ },
  // A reader of all sessions does not wait for what may still come before what it sees.
  gapFreeReading: { invariant: "INV-7", says: /^the feed went from \d+ to \d+/ },
  // A runner does not wait for its calls' start to be in the log.
  intentGate: { invariant: "INV-6", says: /had its effect and no start is in the log/ }
}

const seedsMax = 40

describe("the judge", () => {
  for (const [name, { invariant, says }] of Object.entries(safeguards)) {
    it(`sees that ${name} is missing`, { timeout: 60_000 }, async () => {
      for (let seed = 1; seed <= seedsMax; seed++) {
        const { evidence } = await run(seed, drawStory(seed), name as Unsafe)
        const found = judge(evidence).find((one) => one.invariant === invariant && says.test(one.detail))
        if (found === undefined) continue
        if (process.env["TROUPE_DEPTH"] === "1") process.stdout.write(`${name}: seed ${seed}: ${found.detail}\n`)
        return
      }
      assert.fail(`${invariant} held without ${name} over ${seedsMax} seeds`)
    })
  }

  it("sees that readers and runners are told of what is not in the log, where output does not wait for it", async () => {
    const promises = new Set<string>()
    for (let seed = 1; seed <= 5; seed++) {
      const { evidence } = await run(seed, drawStory(seed), "outputGate")
      for (const { invariant } of judge(evidence)) promises.add(invariant)
    }
    assert.includeMembers([...promises], ["INV-1", "INV-7", "output gate"])
  })
})
