import { assert, describe, it } from "vitest"
import { bodyOf, emptyDraft, missing, standingOf } from "../../src/models/cards.logic.ts"

const draft = { ...emptyDraft, name: "sonnet", model: "claude-sonnet-4-5" }

describe("a model card", () => {
  it("says what is missing until it can be made", () => {
    assert.isNull(missing(draft))
    assert.include(missing({ ...draft, name: "My model" }) ?? "", "small letters")
    assert.include(missing({ ...draft, name: "demo" }) ?? "", "demo")
    assert.include(missing({ ...draft, model: " " }) ?? "", "which model")
    assert.include(missing({ ...draft, provider: "azure" }) ?? "", "Azure")
  })

  it("is sent without what was left empty", () => {
    assert.deepStrictEqual(bodyOf(draft), { name: "sonnet", provider: "anthropic", model: "claude-sonnet-4-5" })
    assert.deepStrictEqual(bodyOf({ ...draft, key: " k ", baseUrl: "https://models.example" }), {
      name: "sonnet",
      provider: "anthropic",
      model: "claude-sonnet-4-5",
      base_url: "https://models.example",
      api_key: "k"
    })
  })

  it("stands as its last probe found it, and not well where its provider does not know the model", () => {
    const probed = (probe: object) => standingOf({ probe: { reason: null, model_listed: null, ...probe } } as never)
    assert.strictEqual(probed({ status: "usable" }).tone, "good")
    assert.strictEqual(probed({ status: "usable", model_listed: false }).tone, "bad")
    assert.strictEqual(probed({ status: "unusable", reason: "401 from the provider" }).text, "401 from the provider")
    assert.strictEqual(probed({ status: "not_probed" }).tone, "")
  })
})
