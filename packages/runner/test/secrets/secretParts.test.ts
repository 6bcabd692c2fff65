import { assert, describe, it } from "@effect/vitest"
import { secretParts } from "../../src/secrets/secretParts.ts"

describe("what must not be said of a secret", () => {
  it("is all of it, where it is one text", () =>
    assert.deepStrictEqual(secretParts("sk-a-secret-of-ours"), ["sk-a-secret-of-ours"]))

  it("is the key of a card, and not the name of its model", () => {
    const provider = { name: "ours", kind: "azure", apiKey: "sk-one", headers: { "X-Key": "two" } }
    const parts = secretParts(JSON.stringify({ provider, model: "gpt-4.1" }))
    assert.includeMembers([...parts], ["sk-one", "two"])
    assert.notInclude(parts, "gpt-4.1")
    assert.notInclude(parts, "ours")
  })

  it("is what comes after the scheme of a header too", () => {
    const parts = secretParts(JSON.stringify({ headers: { authorization: "Bearer sk-three" } }))
    assert.includeMembers([...parts], ["Bearer sk-three", "sk-three"])
  })
})
