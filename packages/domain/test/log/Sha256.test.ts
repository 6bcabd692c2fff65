import { sha256 } from "../../src/log/Sha256.ts"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { createHash } from "node:crypto"

const expected = (text: string) => createHash("sha256").update(text, "utf8").digest("hex")

describe("Sha256", () => {
  it.each([
    ["nothing", ""],
    ["a word", "abc"],
    ["two and three byte characters", "é€ 漢字"],
    ["surrogate pairs", "a😀b𝄞"],
    ["a lone high surrogate", "a\ud83d"],
    ["a lone high surrogate before another character", "\ud83dx"],
    ["a lone low surrogate", "\ude00 a"],
    ["surrogates the wrong way round", "\ude00\ud83d"],
    ["NUL", "\0\0"]
  ])("agrees with the platform on %s", (_, text) => assert.strictEqual(sha256(text), expected(text)))

  it("agrees with the platform on every length around the blocks' ends", () => {
    for (let length = 0; length < 260; length++) {
      const text = "x".repeat(length)
      assert.strictEqual(sha256(text), expected(text), `${length}`)
    }
  })

  it("agrees with the platform on a long text, and on a short one after it", () => {
    for (const text of ["long 長い😀 ".repeat(50_000), "short"]) assert.strictEqual(sha256(text), expected(text))
  })

  it.prop("agrees with the platform on any text", [Schema.String], ([text]) => {
    assert.strictEqual(sha256(text), expected(text))
  })
})
