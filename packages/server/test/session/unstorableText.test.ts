import { assert, describe, it } from "@effect/vitest"
import { unstorableText } from "../../src/session/unstorableText.ts"

describe("a text that can't be stored", () => {
  it.each([
    ["a NUL", { title: "a\0b" }, "title"],
    ["half of a pair", { inputs: [{ content: [{ text: "fine" }, { text: "\ud800" }] }] }, "inputs.0.content.1.text"],
    ["a key", { metadata: { "a\0b": "c" } }, "metadata.a\ufffdb"],
    ["a key before what it stands for", { "\ud800": { deep: "\0" } }, "\ufffd"],
    ["no place at all", "\0", ""],
    ["a long key", { ["x".repeat(1_000)]: "\0" }, `${"x".repeat(200)}…`]
  ])("is named by where it stands: %s", (_, body, field) => {
    assert.strictEqual(unstorableText(body), field)
  })

  it("is none where all may be stored", () => {
    assert.isNull(unstorableText({ title: "\u{1f600}", labels: ["a"], metadata: {}, environmentId: null, count: 1 }))
  })
})
