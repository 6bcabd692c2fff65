import { Schema } from "effect"
import { PermissionRule } from "./PermissionRule.ts"
import { presetNames } from "./Presets.ts"
import { restrictionNames } from "./Restrictions.ts"

export const PermissionPolicy = Schema.Union([
  /** `auto`: a model looks at each call, where one is configured for that; where there is none, somebody is asked. */
  Schema.Struct({ type: Schema.Literals(["always_allow", "always_ask", "auto"]) }),
  Schema.Struct({
    type: Schema.Literal("rules"),
    rules: Schema.Array(PermissionRule),
    /** Where no rule fits. Of a tool's own policy: ask, where absent. */
    otherwise: Schema.optionalKey(Schema.Literals(["allow", "ask", "deny"]))
  }),
  /** These two only ever take away. */
  Schema.Struct({ type: Schema.Literal("preset"), preset: Schema.Literals(presetNames) }),
  Schema.Struct({ type: Schema.Literal("restrictions"), restrictions: Schema.Array(Schema.Literals(restrictionNames)) })
])
export type PermissionPolicy = typeof PermissionPolicy.Type

/** What one layer says, in the order in which verdicts count it. */
export const PermissionPolicies = Schema.Array(PermissionPolicy).check(Schema.isMaxLength(100))
