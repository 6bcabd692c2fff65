import { Schema } from "effect"
import { PriceTable } from "../models/Price.ts"
import { PermissionPolicies } from "../tools/PermissionPolicy.ts"
import { DayLimit } from "./DayLimit.ts"

const Word = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(256))

/** What is taken where an agent says nothing itself. */
export const WorkspaceDefaults = Schema.Struct({
  model: Schema.NullOr(Word),
  auxModel: Schema.NullOr(Word),
  harness: Schema.NullOr(Schema.String.check(Schema.isPattern(/^[a-z][a-z0-9-]{0,63}$/)))
})
export type WorkspaceDefaults = typeof WorkspaceDefaults.Type

export const noDefaults: WorkspaceDefaults = { model: null, auxModel: null, harness: null }

export const pricesMax = 500

/** What holds for all sessions of a workspace. */
export const WorkspaceSettings = Schema.Struct({
  policies: PermissionPolicies,
  dayLimits: Schema.Array(DayLimit).check(Schema.isMaxLength(20)),
  defaults: Schema.optionalKey(WorkspaceDefaults),
  /** They go before the prices that runners know. */
  prices: Schema.optionalKey(PriceTable),
  /** Whether MCP servers that an agent allows it may have text written by the session's model; absent: they may. */
  mcpSampling: Schema.optionalKey(Schema.Boolean)
})
export type WorkspaceSettings = typeof WorkspaceSettings.Type

export const noSettings: WorkspaceSettings = { policies: [], dayLimits: [] }
