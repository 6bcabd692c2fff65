import { assert, describe, it } from "vitest"
import type { Session } from "@troupe/client"
import { initial } from "@troupe/domain/session/Timeline"
import { meters, windowOf } from "../../src/session/meters.logic.ts"
import { placeOn } from "../../src/session/place.logic.ts"
import { goldenLog } from "./goldenLog.ts"

const card = (name: string, model: string, context_tokens: number | null) => ({ name, model, context_tokens })

describe("the badge of a session whose tools nothing isolates", () => {
  const badge = (sandbox: Session["troupe"]["sandbox"]) =>
    meters(initial, { agent: { model: { id: "demo" } }, troupe: { sandbox } } as Session).unconfined

  it("names what they ran in, and is there for no other", () => {
    assert.strictEqual(
      badge({ backend: "local", isolation: "none" }),
      "Tools ran in local: nothing keeps them from the host"
    )
    assert.isNull(badge({ backend: "bubblewrap", isolation: "namespaces" }))
    assert.isNull(badge(null))
    assert.isNull(meters(initial, null).unconfined)
  })
})

describe("the context of a model", () => {
  it("is as large as its card says", () => {
    const cards = [card("ours", "small", 8_000), card("theirs", "large", null)]
    assert.strictEqual(windowOf(cards, "small", "ours"), 8_000)
    assert.strictEqual(windowOf(cards, "small", "another"), 8_000)
    assert.strictEqual(windowOf(cards, "ours", null), 8_000)
    assert.isNull(windowOf(cards, "large", "theirs"))
    assert.isNull(windowOf(cards, "demo", "demo"))
  })

  it("is not known where cards call several sizes by one name, unless one of them is the agent's", () => {
    const cards = [card("ours", "small", 8_000), card("theirs", "small", 16_000)]
    assert.isNull(windowOf(cards, "small", "another"))
    assert.strictEqual(windowOf(cards, "small", "theirs"), 16_000)
  })

  it("is taken up by what the last request told the model, cached or not", () => {
    const timeline = goldenLog().reduce(placeOn, initial)
    const { context, model } = meters(timeline, null)
    assert.deepStrictEqual([context!.windowTokens, context!.share], [null, null])
    assert.isAbove(context!.tokens, 0)
    const twice = { name: "card", model: model!, context_tokens: context!.tokens * 2 }
    assert.strictEqual(meters(timeline, null, [twice]).context!.share, 0.5)
    assert.strictEqual(meters(timeline, null, [{ ...twice, context_tokens: 1 }]).context!.share, 1)
    assert.isNull(meters(initial, null).context)
  })
})
