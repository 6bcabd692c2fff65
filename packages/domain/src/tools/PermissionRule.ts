import { Schema } from "effect"

const Patterns = Schema.Union([Schema.String, Schema.Array(Schema.String)])

/** What holds for calls of some tools, or for those of them whose arguments fit. */
export const PermissionRule = Schema.Struct({
  /** The tool's name, or `server/name`; `*` stands for anything. */
  tool: Schema.String,
  /** Every argument named here must fit one of its patterns. */
  when: Schema.optionalKey(Schema.Record(Schema.String, Patterns)),
  then: Schema.Literals(["allow", "ask", "deny"]),
  /** For whoever is asked, and for the model if it is denied. */
  reason: Schema.optionalKey(Schema.String)
})
export type PermissionRule = typeof PermissionRule.Type
