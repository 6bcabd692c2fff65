import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { microsOf, Time } from "../../src/api/Page.ts"

describe("A time that a client writes", () => {
  const isTime = Schema.is(Time)

  it.each([
    ["2026-11-22", 1_795_305_600_000_000],
    ["2026-11-22T10:20:30Z", 1_795_342_830_000_000],
    ["2026-11-22t10:20:30.1234567z", 1_795_342_830_123_456],
    ["2026-11-22 12:20:30+02:00", 1_795_342_830_000_000],
    ["2026-11-22T12:20+0200", 1_795_342_800_000_000],
    ["2024-02-29T00:00:00Z", 1_709_164_800_000_000]
  ])("is %s", (text, micros) => {
    assert.isTrue(isTime(text))
    assert.strictEqual(microsOf(text), micros)
  })

  it("is one of UTC without a zone, wherever it is read", () => {
    const zone = process.env["TZ"]
    process.env["TZ"] = "America/New_York"
    try {
      assert.strictEqual(new Date("2026-11-22T00:00:00").getUTCHours(), 5)
      assert.strictEqual(microsOf("2026-11-22T10:20:30.5"), 1_795_342_830_500_000)
    } finally {
      if (zone === undefined) delete process.env["TZ"]
      else process.env["TZ"] = zone
    }
  })

  it.each([
    "2026-02-30T00:00:00Z",
    "2025-02-29",
    "2026-13-01",
    "2026-11-22T25:00:00Z",
    "2026-11-22T10:20:30+25:00",
    "0000-01-01T00:00:00Z",
    "+275760-09-13T00:00:00Z",
    "2026-11-22Z",
    "yesterday",
    "1795305600",
    ""
  ])("is not %j", (text) => assert.isFalse(isTime(text)))
})
