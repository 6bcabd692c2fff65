import { assert, describe, it } from "@effect/vitest"
import { negotiate, versions } from "../../../src/sandbox/docker/EngineVersion.ts"

describe("The version of the engine's API", () => {
  it("is the newest that both know", () => {
    assert.strictEqual(negotiate({ oldest: "1.12", newest: "1.41" }), "1.41")
    assert.strictEqual(negotiate({ oldest: "1.24", newest: "1.47" }), "1.47")
    assert.strictEqual(negotiate({ oldest: "1.44", newest: "9.0" }), versions.newest)
  })

  it("is compared as numbers, not as text", () =>
    assert.strictEqual(negotiate({ oldest: "1.9", newest: "1.100" }), versions.newest))

  it("is none where the engine is too old, or too new", () => {
    assert.isUndefined(negotiate({ oldest: "1.12", newest: "1.40" }))
    assert.isUndefined(negotiate({ oldest: "1.99", newest: "1.120" }))
  })
})
