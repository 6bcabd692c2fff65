import { assert, describe, it } from "vitest"
import { ago, cost, duration, microUsdOf, plural, short, size } from "../../src/ui/format.logic.ts"

describe("figures", () => {
  it("say of an unknown price that it is unknown, and never zero", () => {
    assert.strictEqual(cost(null), "–")
    assert.strictEqual(cost(0), "$0.00")
    assert.strictEqual(cost(12), "<$0.0001")
    assert.strictEqual(cost(12_300), "$0.0123")
    assert.strictEqual(cost(1_234_560_000), "$1,234.56")
    assert.strictEqual(microUsdOf({ amount: "250" }), 2_500_000)
    assert.isNull(microUsdOf(null))
  })

  it("stay short in columns", () => {
    assert.deepStrictEqual([999, 1_234, 56_789, 1_200_000, 34_000_000].map(short), [
      "999",
      "1.2k",
      "57k",
      "1.2M",
      "34M"
    ])
    assert.deepStrictEqual([12, 1_500, 59_000, 61_000, 3_660_000].map(duration), [
      "12 ms",
      "1.5 s",
      "59 s",
      "1 min 1 s",
      "1 h 1 min"
    ])
    assert.deepStrictEqual([12, 1_500, 25_000, 2_400_000].map(size), ["12 B", "1.5 kB", "25 kB", "2.4 MB"])
    assert.strictEqual(plural(1, "turn"), "1 turn")
    assert.strictEqual(plural(2, "turn"), "2 turns")
  })

  it("say how long ago something was", () => {
    const day = 86_400_000
    const now = 2 * 365 * day
    assert.deepStrictEqual(
      [0, 30_000, 300_000, 7_200_000, 3 * day, 60 * day, 400 * day].map((past) => ago(now - past, now)),
      ["now", "30s", "5m", "2h", "3d", "2mo", "1y"]
    )
  })
})
