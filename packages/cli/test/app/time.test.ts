import { assert, describe, it } from "@effect/vitest"
import { ago, agoExactly } from "../../src/app/time.ts"
import { tokenState } from "../../src/commands/keys/tokenState.ts"

const now = Date.parse("2026-06-15T12:00:00Z")

describe("A time", () => {
  it("is told in one number, as people say it", () => {
    const told = (time: string) => ago(time, now)
    assert.strictEqual(told("2026-06-15T12:00:00Z"), "0s ago")
    assert.strictEqual(told("2026-06-15T11:59:01Z"), "59s ago")
    assert.strictEqual(told("2026-06-15T10:01:00Z"), "1h ago")
    assert.strictEqual(told("2026-05-15T12:00:00Z"), "31d ago")
    assert.strictEqual(told("2026-06-15T12:03:10Z"), "in 3m")
    assert.strictEqual(agoExactly("2026-06-15T11:59:01Z", now), "59s ago, at 2026-06-15T11:59:01Z")
  })

  it("says of a token whether it opens anything", () => {
    const state = (expires_at: string | null, revoked_at: string | null = null) =>
      tokenState({ expires_at, revoked_at }, now)
    assert.strictEqual(state(null), "holds")
    assert.strictEqual(state("2026-06-17T12:00:00Z"), "expires in 2d")
    assert.strictEqual(state("2026-06-15T12:00:00Z"), "expired 0s ago")
    assert.strictEqual(state("2026-06-17T12:00:00Z", "2026-06-15T11:00:00Z"), "revoked")
  })
})
