import { assert, describe, it } from "vitest"
import {
  amount,
  dayLimitsIn,
  limitDraftOf,
  limitText,
  measures,
  newLimit,
  sessionLimitsIn,
  wrongWith,
  wrongWithSession
} from "../../src/limits/limits.logic.ts"

describe("a limit", () => {
  it("is written in what people count in, and sent in what is counted", () => {
    assert.deepStrictEqual(
      sessionLimitsIn([
        { ...newLimit, text: "200000" },
        { metric: "cost_micro_usd", text: "2,50", enforcement: "soft", scope: "turn" },
        { metric: "active_ms", text: "1.5", enforcement: "hard", scope: "session" }
      ]),
      [
        { metric: "tokens", max: 200_000, enforcement: "soft", scope: "session" },
        { metric: "cost_micro_usd", max: 2_500_000, enforcement: "soft", scope: "turn" },
        { metric: "active_ms", max: 90_000, enforcement: "hard", scope: "session" }
      ]
    )
  })

  it("of a day says nothing of turns, and is the same after it was looked at", () => {
    const limits = measures.map(({ id }) => ({ metric: id, max: 1_234_567, enforcement: "hard" as const }))
    assert.deepStrictEqual(dayLimitsIn(limits.map(limitDraftOf)), limits)
  })

  it("is a number above zero, or says what is missing", () => {
    assert.isNull(wrongWith([]))
    for (const text of ["", "0", "-1", "1.5", "many", "1e3"]) {
      assert.include(wrongWith([{ ...newLimit, text }]) ?? "", "tokens", text)
    }
    assert.isNull(wrongWith([{ ...newLimit, metric: "cost_micro_usd", text: "0.5" }]))
    assert.include(wrongWith([{ ...newLimit, metric: "cost_micro_usd", text: "half" }]) ?? "", "dollars")
    const one = { ...newLimit, text: "1" }
    assert.include(wrongWith(Array.from({ length: 20 }, () => one)) ?? "", "19")
  })

  it("of what a session costs, which stops it, is its budget", () => {
    const cap = { metric: "cost_micro_usd", text: "1", enforcement: "hard", scope: "session" } as const
    assert.include(wrongWithSession([cap]) ?? "", "budget")
    assert.isNull(wrongWithSession([{ ...cap, scope: "turn" }]))
    assert.isNull(wrongWith([cap]))
  })

  it("is said in a few words", () => {
    const limit = { metric: "model_requests", max: 100, enforcement: "soft", scope: "session" } as const
    assert.strictEqual(limitText(limit), "100 requests to models in all, then it asks")
    assert.strictEqual(
      limitText({ ...limit, metric: "tokens", scope: "turn", enforcement: "hard" }),
      "100 tokens a turn, then it stops"
    )
    assert.strictEqual(amount("tool_calls", 1), "1 call of tools")
  })
})
