import { assert, describe, it } from "vitest"
import { badgeOf } from "../../src/session/verify.logic.ts"

describe("the badge of a session", () => {
  it("says what was checked, and nothing of what came later", () => {
    assert.strictEqual(badgeOf(null, 9).text, "Verify")
    assert.deepInclude(badgeOf({ ok: true, version: 9 }, 9), { kind: "good", text: "Verified" })
    const older = badgeOf({ ok: true, version: 9 }, 12)
    assert.deepInclude(older, { kind: "good", text: "Verified to 9" })
    assert.match(older.title, /3 came since/)
    assert.strictEqual(badgeOf({ ok: false, version: 9 }, 9).kind, "bad")
  })
})
