import { assert, describe, it } from "vitest"
import { barsOf, daysUntil, metrics, nameIn, ranked, topOf, totalOf } from "../../src/usage/usage.logic.ts"

const row = (more: object) =>
  ({ day: null, model: null, agent_id: null, session_id: null, input_tokens: 0, output_tokens: 0, ...more }) as never
const tokens = metrics.find(({ id }) => id === "tokens")!

describe("usage", () => {
  it("has a bar for every day, today the last of them", () => {
    const days = daysUntil(Date.parse("2026-03-01T23:59:59Z"), 3)
    assert.deepStrictEqual(days, ["2026-02-27", "2026-02-28", "2026-03-01"])
    const rows = [row({ day: "2026-02-28", input_tokens: 5 }), row({ day: "2026-02-28", output_tokens: 2 })]
    assert.deepStrictEqual(
      barsOf(days, rows, tokens).map(({ value }) => value),
      [0, 7, 0]
    )
    assert.strictEqual(totalOf(rows, tokens), 7)
  })

  it("ends its axis at a round number that nothing is above", () => {
    assert.deepStrictEqual(
      [0, 1, 7, 39_000, 20, 26].map((value) => topOf([value])),
      [1, 1, 10, 50_000, 20, 50]
    )
  })

  it("puts what used most first, and calls things by their names", () => {
    const rows = [row({ model: "", input_tokens: 1 }), row({ model: "demo/demo", input_tokens: 9 })]
    assert.deepStrictEqual(
      ranked(rows, tokens).map((one) => nameIn(one, "model", new Map())),
      ["demo/demo", "Tools"]
    )
    assert.strictEqual(nameIn(row({ agent_id: "agent_1" }), "agent", new Map([["agent_1", "Analyst"]])), "Analyst")
    assert.strictEqual(nameIn(row({ agent_id: "agent_2" }), "agent", new Map()), "agent_2")
    const session = row({ session_id: "sesn_1" as never })
    assert.strictEqual(nameIn(session, "session", new Map([["sesn_1", "Weekly numbers"]])), "Weekly numbers")
    assert.strictEqual(nameIn(session, "session", new Map()), "sesn_1")
  })
})
