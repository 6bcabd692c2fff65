import { assert, describe, it } from "vitest"
import { sandboxInWords } from "../../src/session/sandboxInWords.ts"

describe("what a session's tools run in", () => {
  it("is said by name, and loudly where nothing isolates", () => {
    assert.isNull(sandboxInWords(null))
    assert.strictEqual(sandboxInWords({ backend: "bubblewrap", isolation: "namespaces" }), "bubblewrap: namespaces")
    assert.strictEqual(sandboxInWords({ backend: "local", isolation: "none" }), "local: NO ISOLATION")
  })
})
