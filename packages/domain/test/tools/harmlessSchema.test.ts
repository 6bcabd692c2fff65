import { assert, it } from "@effect/vitest"
import type { Json, JsonObject } from "@troupe/domain/Json"
import { violations } from "@troupe/domain/tools/JsonSchema"
import { describe } from "vitest"
import { harmlessSchema, schemaFault } from "../../src/tools/harmlessSchema.ts"

describe("The schema of a tool that nobody vouches for", () => {
  it("says the same about plain input", () => {
    const schema = {
      type: "object",
      properties: { a: { type: "integer", minimum: 1 }, b: { enum: ["x", "y"] }, pattern: { type: "string" } },
      required: ["a"],
      additionalProperties: false
    }
    assert.deepStrictEqual(harmlessSchema(schema), schema)
  })

  it("has what it refers to in its place", () => {
    const schema = {
      type: "object",
      properties: { point: { $ref: "#/$defs/point" } },
      $defs: { point: { type: "object", properties: { x: { type: "number" } } } }
    }
    assert.deepStrictEqual(harmlessSchema(schema), {
      type: "object",
      properties: { point: { type: "object", properties: { x: { type: "number" } } } }
    })
  })

  it("allows anything where it refers to itself", () => {
    const schema = {
      type: "object",
      properties: { tree: { $ref: "#/$defs/tree" } },
      $defs: { tree: { type: "object", properties: { value: { type: "number" }, next: { $ref: "#/$defs/tree" } } } }
    }
    const found = harmlessSchema(schema) as JsonObject
    assert.deepStrictEqual(violations(found, { tree: { value: 1, next: { value: "any" } } }), [])
    assert.strictEqual(violations(found, { tree: { value: "one" } }).length, 1)
  })

  it("tells of regular expressions, and runs none", () => {
    const found = harmlessSchema({ type: "object", properties: { a: { type: "string", pattern: "(a+)+$" } } })
    assert.deepStrictEqual(found, {
      type: "object",
      properties: { a: { type: "string", description: "(Must match (a+)+$)" } }
    })
  })

  it("is refused where it would cost too much, or is none", () => {
    const refused = (schema: JsonObject) => assert.isString(harmlessSchema(schema))
    const bomb = Object.fromEntries(
      Array.from({ length: 30 }, (_, index): [string, Json] => [
        `d${index}`,
        { anyOf: [{ $ref: `#/$defs/d${index + 1}` }, { $ref: `#/$defs/d${index + 1}` }] }
      ])
    )
    refused({ type: "object", properties: { a: { $ref: "#/$defs/d0" } }, $defs: { ...bomb, d30: {} } })
    let deep: JsonObject = {}
    for (let depth = 0; depth < 100; depth++) deep = { type: "object", properties: { a: deep } }
    refused(deep)
    refused({ type: "object", description: "x".repeat(70_000) })
    refused({ type: "object", properties: { a: { $ref: "https://elsewhere/" } } })
    refused({ type: "object", properties: { a: { $ref: "#/$defs/nothing" } } })
    refused({ type: "object", properties: [] })
    refused({ type: "object", anyOf: {} })
    refused({ type: "string" })
  })

  it("loses keywords that hold what they can't, which a provider would refuse the whole request for", () => {
    const odd = { type: "text", required: true, minLength: -1, enum: [], description: null, format: 7 }
    const found = harmlessSchema({ type: "object", properties: { a: { ...odd, maxLength: 3 } }, required: ["a"] })
    assert.deepStrictEqual(found, { type: "object", properties: { a: { maxLength: 3 } }, required: ["a"] })
  })
})

describe("The schema of a tool that the agent's maker vouches for", () => {
  it("is used as it is, regular expressions and all", () => {
    assert.isNull(schemaFault({ type: "object", properties: { a: { type: ["string", "null"], pattern: "^a+$" } } }))
  })

  it("is refused where it is none", () => {
    for (const wrong of [{ type: "text" }, { required: true }, { enum: 3 }, { items: [] }, { $ref: "#/nowhere" }, 7]) {
      assert.isString(schemaFault({ type: "object", properties: { a: wrong } }), JSON.stringify(wrong))
    }
    assert.isString(schemaFault({ type: "object", required: "a" }))
  })
})
