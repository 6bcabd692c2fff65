import { assert, describe, it } from "@effect/vitest"
import { defaultModel } from "../../src/session/defaultModel.ts"

describe("The model that nobody named", () => {
  it.each([
    [["demo"], "demo"],
    [[], "demo"],
    [["demo", "anthropic/claude-haiku", "anthropic/claude-sonnet-5"], "anthropic/claude-sonnet-5"],
    [["openai/gpt-5-mini", "openai/gpt-5.2"], "openai/gpt-5.2"],
    [["demo", "local/llama"], "local/llama"]
  ])("of %j is %s", (models, expected) => {
    assert.strictEqual(defaultModel(models), expected)
  })
})
