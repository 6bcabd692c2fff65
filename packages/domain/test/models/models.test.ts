import { assert, describe, it } from "@effect/vitest"
import { route } from "@troupe/domain/models/ModelName"
import { fastListPrices, fastListPriceSources, listPrices, listPriceSources } from "@troupe/domain/models/listPrices"
import { costOf, firstPrice, priceOf, type Price } from "@troupe/domain/models/Price"
import { Result } from "effect"
import { readFileSync } from "node:fs"

const providers = ["anthropic", "openai", "local"]
const routed = (name: string, fallback: string | null = null) => Result.getOrNull(route(name, providers, fallback))

describe("the name of a model", () => {
  it("leads to the provider that it names", () => {
    assert.deepStrictEqual(routed("local/llama-4"), { provider: "local", model: "llama-4" })
    assert.deepStrictEqual(routed("openai/claude-like"), { provider: "openai", model: "claude-like" })
  })

  it("leads to the maker of its family", () => {
    assert.deepStrictEqual(routed("claude-opus-4-5"), { provider: "anthropic", model: "claude-opus-4-5" })
    assert.deepStrictEqual(routed("gpt-5.2"), { provider: "openai", model: "gpt-5.2" })
    assert.deepStrictEqual(routed("o3"), { provider: "openai", model: "o3" })
  })

  it("keeps a slash that names no provider", () => {
    assert.deepStrictEqual(routed("meta/llama-4", "local"), { provider: "local", model: "meta/llama-4" })
  })

  it("is refused where it leads nowhere, with the providers there are", () => {
    for (const name of ["", "mystery", "openai/", "/x", "olympus"]) {
      const result = route(name, providers)
      assert.strictEqual(Result.isFailure(result), true, name)
      if (Result.isFailure(result)) assert.include(result.failure.message, "anthropic, openai, local")
    }
  })

  it("says whose key it takes where there is none of its maker", () => {
    for (const name of ["claude-opus-4-5", "anthropic/claude-opus-4-5"]) {
      const result = route(name, ["demo"])
      assert.isTrue(Result.isFailure(result))
      if (Result.isFailure(result)) assert.include(result.failure.message, "set ANTHROPIC_API_KEY")
    }
  })

  it("may be demo, with no provider configured at all", () => {
    assert.deepStrictEqual(Result.getOrNull(route("demo", [])), { provider: "demo", model: "demo" })
  })
})

describe("the price of a request", () => {
  const price = (input: number): Price => ({ input, output: 5, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 })
  const table = { "claude-*": price(1), "claude-opus-*": price(2), "claude-opus-4": price(3) }
  const none = {
    inputTokens: 0,
    outputTokens: 0,
    cacheReadTokens: 0,
    cacheWrite5mTokens: 0,
    cacheWrite1hTokens: 0,
    webSearches: 0,
    webFetches: 0
  }

  it("is that of the exact model, else of the longest name that it begins with", () => {
    assert.strictEqual(priceOf(table, "claude-opus-4")?.input, 3)
    assert.strictEqual(priceOf(table, "claude-opus-4-1")?.input, 2)
    assert.strictEqual(priceOf(table, "claude-haiku")?.input, 1)
  })

  it("is unknown for a model that is not in the table, and so is the cost", () => {
    assert.strictEqual(priceOf(table, "gpt-5"), null)
    assert.strictEqual(costOf(null, { ...none, inputTokens: 1_000 }), null)
  })

  it("adds up all that was used, and rounds up once", () => {
    const dollars = {
      input: 3_000_000,
      output: 15_000_000,
      cacheRead: 300_000,
      cacheWrite5m: 3_750_000,
      cacheWrite1h: 6_000_000
    }
    const usage = { ...none, inputTokens: 1, outputTokens: 2, cacheReadTokens: 1, webSearches: 1 }
    assert.strictEqual(costOf(dollars, usage), 34 + 10_000)
  })

  it("is that of the first table that knows any, however well the others do", () => {
    const own = { "claude-*": price(7) }
    assert.strictEqual(firstPrice([own, table], "claude-opus-4")?.input, 7)
    assert.strictEqual(firstPrice([{}, table], "claude-opus-4")?.input, 3)
    assert.isNull(firstPrice([own, table], "mystery"))
  })

  it("is the list price where nobody says otherwise, and unknown where there is none", () => {
    const inputOf = (model: string) => priceOf(listPrices, model)?.input
    assert.strictEqual(inputOf("claude-opus-4-5-20251101"), 5_000_000)
    assert.strictEqual(inputOf("claude-opus-5-5"), 4_000_000)
    assert.strictEqual(inputOf("gpt-5-mini-2025-08-07"), 250_000)
    // Of some the price depends on how long a prompt is, of others nobody of us has read it.
    for (const model of [
      "claude-haiku-5-5",
      "gpt-5.5",
      "gpt-5.4",
      "o3",
      "gpt-5.9",
      "gpt-5-pro",
      "o3-pro",
      "gpt-4o-audio-preview",
      "demo"
    ]) {
      assert.isUndefined(inputOf(model), model)
    }
    for (const { cacheRead, input, output } of Object.values(listPrices)) {
      assert.isBelow(cacheRead, input)
      assert.isAbove(output, input)
    }
  })

  it("is higher at a higher speed", () => {
    for (const [model, { input, output }] of Object.entries(fastListPrices)) {
      assert.isAbove(input, listPrices[model]!.input, model)
      assert.isAbove(output, listPrices[model]!.output, model)
    }
  })

  it("is said to be from where and when it was read, each from one source", () => {
    const page = readFileSync(new URL("../../../../docs/models.md", import.meta.url), "utf8")
    for (const { read, source } of [...listPriceSources, ...fastListPriceSources])
      assert.include(page, `| ${source} | ${read} |`)
    const names = listPriceSources.flatMap(({ prices }) => Object.keys(prices))
    assert.deepStrictEqual(names.toSorted(), Object.keys(listPrices).toSorted())
  })
})
