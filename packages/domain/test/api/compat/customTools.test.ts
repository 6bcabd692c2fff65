import { assert, describe, it } from "@effect/vitest"
import { resolveTools } from "../../../src/api/compat/agentTools.ts"

const custom = (input_schema: object) => [
  {
    type: "custom",
    name: "look_up",
    description: "Looks something up.",
    input_schema: { type: "object", ...input_schema }
  }
]

describe("A tool of the caller's own", () => {
  it("is kept with its schema as it was given", () => {
    const tools = custom({ properties: { q: { type: "string", pattern: "^a" } }, required: ["q"], $comment: "ours" })
    assert.deepStrictEqual(resolveTools(tools), tools)
  })

  it("is refused where its schema is none, with the place", () => {
    assert.throws(() => resolveTools(custom({ properties: { q: { type: "text" } } })), /tools\.0\.input_schema.*type/)
    assert.throws(() => resolveTools(custom({ properties: { q: { $ref: "#/$defs/q" } } })), /refers to nothing/)
  })
})
