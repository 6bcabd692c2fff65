import { assert, describe, it } from "@effect/vitest"
import { warnings } from "../src/Health.ts"
import { alertAfterMs } from "../src/log/Horizon.ts"

describe("a node that can serve", () => {
  it("warns of a horizon that stands still, and of nothing else", () => {
    assert.deepStrictEqual(warnings(alertAfterMs), {})
    const ageMs = alertAfterMs + 1
    assert.deepStrictEqual(warnings(ageMs), { warnings: [{ code: "horizon_held", ageMs }] })
  })
})
