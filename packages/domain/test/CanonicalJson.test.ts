import { assert, describe, it } from "@effect/vitest"
import { utf8Length } from "../src/CanonicalJson.ts"

describe("utf8Length", () => {
  it("counts bytes and not units", () => {
    assert.deepStrictEqual(["", "a", "é", "漢", "😀", "\ud800", "a😀\udc00"].map(utf8Length), [0, 1, 2, 3, 4, 3, 8])
  })
})
