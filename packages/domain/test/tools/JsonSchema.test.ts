import { assert, describe, it } from "@effect/vitest"
import type { Json, JsonObject } from "../../src/Json.ts"
import { violations } from "../../src/tools/JsonSchema.ts"

const object = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({ type: "object", properties, ...more })
const says = (schema: JsonObject, value: Json, ...expected: ReadonlyArray<string>) =>
  assert.deepStrictEqual(violations(schema, value), expected)

describe("A value that is not what its schema says", () => {
  it("is told what is missing, unknown and of another type, all at once", () => {
    const schema = object(
      { path: { type: "string" }, lines: { type: "array", items: { type: "integer" } } },
      { required: ["path"], additionalProperties: false }
    )
    says(schema, { path: "a", lines: [1, 2] })
    says(
      schema,
      { file: "a", lines: [1, "x", 2.5] },
      "`path` is missing",
      "`file` is not known; there is path, lines",
      '`lines[1]` must be integer, not "x"',
      "`lines[2]` must be integer, not 2.5"
    )
    says(schema, "a", 'The input must be object, not "a"')
    says(schema, null, "The input must be object, not null")
  })

  it("is told the bounds", () => {
    says({ minimum: 1, maximum: 3 }, 5, "The input must be at most 3, not 5")
    says({ exclusiveMinimum: 1 }, 1, "The input must be more than 1, not 1")
    says({ multipleOf: 5 }, 7, "The input must be a multiple of 5, not 7")
    says({ minLength: 2 }, "🙂", "The input must have at least 2 characters, not 1")
    says({ maxItems: 1 }, [1, 2], "The input must have at most 1 items, not 2")
    says({ enum: ["a", 1, null] }, "b", 'The input must be one of "a", 1, null, not "b"')
    says({ const: { a: 1 } }, { a: 1 })
    says({ pattern: "^a" }, "b", "The input must match ^a")
    says({ pattern: "(" }, "b")
  })

  it("is told of the alternative that it comes closest to", () => {
    const either = {
      anyOf: [
        { required: ["a"], type: "object" },
        { type: "string", minLength: 3 }
      ]
    } as const
    says(either, "abc")
    says(either, {}, "`a` is missing")
    says({ oneOf: [{ type: "number" }, { type: "integer" }] }, 1, "The input fits 2 alternatives, and must fit one")
    says({ not: { type: "null" } }, null, "The input is what it must not be")
    says(
      { allOf: [{ minimum: 2 }, { maximum: 0 }] },
      1,
      "The input must be at least 2, not 1",
      "The input must be at most 0, not 1"
    )
  })

  it("follows references into the schema, and no others", () => {
    const schema = { $defs: { "a/b": { type: "string" } }, properties: { x: { $ref: "#/$defs/a~1b" } } }
    says(schema, { x: 1 }, "`x` must be string, not 1")
    says({ $ref: "https://example.com/schema" }, 1, "The input has a schema that refers to nothing")
    says(
      { $defs: { a: { $ref: "#/$defs/b" }, b: { type: "null" } }, $ref: "#/$defs/a" },
      1,
      "The input must be null, not 1"
    )
    const tree = { type: "object", properties: { child: { $ref: "#" } }, additionalProperties: false }
    says(tree, { child: { child: { other: 1 } } }, "`child.child.other` is not known; there is child")
  })

  it("ends with values and schemas that have no end", () => {
    const deep = Array.from({ length: 1_000 }).reduce<Json>((inner) => ({ child: inner }), 1)
    assert.match(violations({ properties: { child: { $ref: "#" } } }, deep)[0] ?? "", /nested too deeply$/)
    says({ $ref: "#" }, 1, "The input is nested too deeply")
  })

  it("takes names of the language for names", () => {
    says(
      object({ a: {} }, { additionalProperties: false }),
      JSON.parse('{"constructor":1}'),
      "`constructor` is not known; there is a"
    )
    says({ required: ["toString"] }, {}, "`toString` is missing")
  })
})
