import type { ModelCard } from "@troupe/client"
import { assert, describe, it } from "vitest"
import { bodyOf, draftOf, missing, standingOf, updateOf } from "../../src/models/cards.logic.ts"
import { priceDraftOf, priceIn } from "../../src/models/price.logic.ts"

const draft = { ...draftOf(null), name: "sonnet", model: "claude-sonnet-4-5" }

describe("a model card", () => {
  it("says what is missing until it can be made", () => {
    assert.isNull(missing(draft))
    assert.include(missing({ ...draft, name: "My model" }) ?? "", "small letters")
    assert.include(missing({ ...draft, name: "demo" }) ?? "", "demo")
    assert.include(missing({ ...draft, model: " " }) ?? "", "which model")
    assert.include(missing({ ...draft, provider: "azure" }) ?? "", "Azure")
  })

  it("is sent without a key where none was written", () => {
    const nothing = { base_url: null, api_version: null, context_tokens: null, output_tokens: null, price: null }
    const said = { name: "sonnet", provider: "anthropic", model: "claude-sonnet-4-5" } as const
    assert.deepStrictEqual(bodyOf(draft), { ...nothing, ...said })
    assert.deepInclude(bodyOf({ ...draft, key: " k ", baseUrl: "https://models.example" }), {
      base_url: "https://models.example",
      api_key: "k"
    })
  })

  const cardOf = (some: object): ModelCard =>
    ({ ...bodyOf(draft), key_hint: "1234", header_names: [], ...some }) as unknown as ModelCard

  it("is edited as it is, and its name and what is secret stay", () => {
    const price = { input: 3_000_000, output: 15_000_000, cache_read: 300_000, cache_write_5m: 1, cache_write_1h: 0 }
    const sizes = { context_tokens: 200_000, output_tokens: 64_000, price }
    const card = cardOf({ ...sizes, header_names: ["X-Team"] })
    const edited = draftOf(card)
    assert.isNull(missing(edited))
    assert.strictEqual(edited.price.cache_read, "0.3")
    assert.deepStrictEqual(updateOf(edited, card) as object, {
      ...sizes,
      provider: "anthropic",
      model: "claude-sonnet-4-5",
      base_url: null,
      api_version: null
    })
    assert.isNull(updateOf({ ...edited, contextTokens: "", outputTokens: "" }, card).context_tokens)
    assert.isNull(updateOf({ ...edited, headers: [] }, card).headers)
    assert.notProperty(updateOf(draftOf(cardOf({})), cardOf({})), "headers")
  })

  it("is let in by what is written anew, and by one of key and token", () => {
    const card = cardOf({ provider: "azure" })
    const azure = { ...draftOf(card), baseUrl: "https://ours.example" }
    assert.deepInclude(updateOf({ ...azure, key: "k" }, card), { api_key: "k", ad_token: null })
    assert.deepInclude(updateOf({ ...azure, directoryToken: "t" }, card), { api_key: null, ad_token: "t" })
    assert.include(missing({ ...azure, key: "k", directoryToken: "t" }) ?? "", "one of them")
    const elsewhere = updateOf({ ...azure, provider: "openai", directoryToken: "t" }, card)
    assert.deepInclude(elsewhere, { ad_token: null })
    const headers = [{ name: "X-Team", value: "1" }]
    assert.deepInclude(updateOf({ ...azure, headers }, card), { headers: { "X-Team": "1" } })
    assert.include(missing({ ...azure, headers: [{ name: "X-Team", value: "" }] }) ?? "", "half")
  })

  it("has its sizes together and its price whole, or says so", () => {
    assert.include(missing({ ...draft, contextTokens: "200k" }) ?? "", "whole numbers")
    assert.include(missing({ ...draft, contextTokens: "200000" }) ?? "", "together")
    assert.include(missing({ ...draft, price: { ...draft.price, input: "3" } }) ?? "", "five numbers")
    assert.isNull(priceIn(priceDraftOf(null)))
    assert.isUndefined(priceIn({ ...priceDraftOf(null), input: "-1" }))
  })

  it("stands as its last probe found it, and not well where its provider does not know the model", () => {
    const probed = (probe: object) => standingOf({ probe: { reason: null, model_listed: null, ...probe } } as never)
    assert.strictEqual(probed({ status: "usable" }).tone, "good")
    assert.strictEqual(probed({ status: "usable", model_listed: false }).tone, "bad")
    assert.strictEqual(probed({ status: "unusable", reason: "401 from the provider" }).text, "401 from the provider")
    assert.strictEqual(probed({ status: "not_probed" }).tone, "")
  })
})
