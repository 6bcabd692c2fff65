import { assert, describe, it } from "@effect/vitest"
import { budgetIn, budgetOut, limitsOut, usageOut } from "../../../src/api/compat/money.ts"
import { consumed } from "../../../src/session/Budget.ts"
import { noTotals } from "../../../src/session/Usage.ts"

const budget = { type: "limit", max_list_cost: { amount: "250", currency: "USD" } } as const
const tokens = { metric: "tokens", max: 7, enforcement: "hard", scope: "turn" } as const

describe("what a session may cost", () => {
  it("is one limit among others, and found again", () => {
    const kept = budgetIn(budget, [tokens])
    assert.lengthOf(kept, 2)
    assert.deepStrictEqual([budgetOut(kept), limitsOut(kept)], [budget, [tokens]])
    assert.deepStrictEqual([budgetOut([tokens]), limitsOut(budgetIn(budget))], [null, []])
  })

  it("is what models were paid and eight cents for an hour of work, to the limit as to whoever looks", () => {
    const totals = { ...noTotals, costMicroUsd: 1_234_567, activeMs: 90 * 60_000 }
    assert.strictEqual(consumed(totals, budgetIn(budget)[0]!), 1_354_567)
    assert.deepStrictEqual(usageOut(totals).list_cost, { amount: "135", currency: "USD" })
  })

  it("is not known while a price is not", () => {
    assert.isNull(usageOut({ ...noTotals, costMicroUsd: 1_234_567, unpricedRequests: 1 }).list_cost)
  })
})
