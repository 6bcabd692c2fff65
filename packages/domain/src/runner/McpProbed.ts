import { Schema } from "effect"

/** A tool, by what people choose it by: its schema comes with the turns that use it. */
export const McpListedTool = Schema.Struct({
  name: Schema.String,
  description: Schema.String,
  arguments: Schema.Array(Schema.Struct({ name: Schema.String, required: Schema.Boolean })),
  /** Whether the server says so, and is believed. */
  read_only: Schema.Boolean
})
export type McpListedTool = typeof McpListedTool.Type

export const McpListing = Schema.Struct({
  tools: Schema.Array(McpListedTool),
  has_resources: Schema.Boolean,
  has_prompts: Schema.Boolean,
  /** Tools that can't be used, and what is wrong with them. */
  problems: Schema.Array(Schema.String)
})
export type McpListing = typeof McpListing.Type

/** What came of asking an MCP server what it has. */
export const McpProbed = Schema.Union([
  Schema.Struct({ outcome: Schema.Literal("listed"), listing: McpListing }),
  Schema.Struct({ outcome: Schema.Literals(["unauthorized", "failed"]), detail: Schema.String })
])
export type McpProbed = typeof McpProbed.Type
