import { assert, describe, it } from "@effect/vitest"
import { type DayLimit, spentToday } from "../../src/workspace/DayLimit.ts"

const use = { tokens: 100, cost_micro_usd: 5, tool_calls: 0, model_requests: 2, active_ms: 60_000 }
const tokens = (max: number, enforcement: DayLimit["enforcement"]): DayLimit => ({ metric: "tokens", max, enforcement })

describe("A day's limit", () => {
  it("holds once it is come up to", () => {
    assert.deepStrictEqual(spentToday([tokens(101, "hard")], use, false), [])
    assert.deepStrictEqual(spentToday([tokens(100, "hard"), tokens(7, "soft")], use, false), [
      tokens(100, "hard"),
      tokens(7, "soft")
    ])
  })

  it("is let pass only where it is soft", () => {
    assert.deepStrictEqual(spentToday([tokens(1, "hard"), tokens(1, "soft")], use, true), [tokens(1, "hard")])
  })

  it("counts its own metric", () => {
    assert.deepStrictEqual(spentToday([{ metric: "tool_calls", max: 1, enforcement: "hard" }], use, false), [])
    const time: DayLimit = { metric: "active_ms", max: 60_000, enforcement: "hard" }
    assert.deepStrictEqual(spentToday([time], use, false), [time])
  })
})
