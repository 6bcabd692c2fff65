import { Schema } from "effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { EnvironmentId } from "../Ids.ts"
import { DayLimit } from "../workspace/DayLimit.ts"
import { pricesMax } from "../workspace/WorkspaceSettings.ts"
import { anyFailure } from "./ApiError.ts"
import { Name } from "./Common.ts"
import { PriceShown } from "./Prices.ts"

const nullish = <S extends Schema.Top>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))

const Harness = Schema.String.check(Schema.isPattern(/^[a-z][a-z0-9-]{0,63}$/))
const DayLimits = Schema.Array(DayLimit).check(Schema.isMaxLength(20))
const ModelPattern = Schema.String.check(Schema.isPattern(/^[^\s*]{0,255}[^\s]$/))
const Prices = Schema.Record(ModelPattern, PriceShown).check(
  Schema.makeFilter((table: object) => Object.keys(table).length <= pricesMax, {
    expected: `at most ${pricesMax} prices`
  })
)

/** What holds for all sessions of a workspace, beside its policies. */
export const Settings = Schema.Struct({
  type: Schema.Literal("settings"),
  version: Schema.Int,
  day_limits: Schema.Array(DayLimit),
  /** The day, in UTC, for which somebody let the soft limits pass. */
  day_limits_passed_on: Schema.NullOr(Schema.String),
  /** The environment of sessions that name none; null until one is needed or named. */
  default_environment_id: Schema.NullOr(EnvironmentId),
  default_model: Schema.NullOr(Schema.String),
  default_aux_model: Schema.NullOr(Schema.String),
  default_harness: Schema.NullOr(Schema.String),
  /** Whether MCP servers may have text written by a session's model where an agent allows it. */
  mcp_sampling: Schema.Boolean,
  /** By a model's name, or by the beginning of names and `*`. They go before what runners know. */
  prices: Schema.Record(Schema.String, PriceShown)
}).annotate({ identifier: "Settings" })
export type Settings = typeof Settings.Type

export const SettingsUpdate = Schema.Struct({
  /** With it, the change is refused where somebody else made one meanwhile. */
  version: Schema.optionalKey(Schema.Int),
  day_limits: Schema.optionalKey(DayLimits),
  default_environment_id: Schema.optionalKey(EnvironmentId),
  default_model: nullish(Name(256)),
  default_aux_model: nullish(Name(256)),
  default_harness: nullish(Harness),
  mcp_sampling: Schema.optionalKey(Schema.Boolean),
  prices: Schema.optionalKey(Prices)
})
export type SettingsUpdate = typeof SettingsUpdate.Type

export const retrieve = HttpApiEndpoint.get("retrieveSettings", "/v1/settings", {
  success: Settings,
  error: anyFailure
})
export const update = HttpApiEndpoint.post("updateSettings", "/v1/settings", {
  payload: SettingsUpdate,
  success: Settings,
  error: anyFailure
})
export const passDayLimits = HttpApiEndpoint.post("passDayLimits", "/v1/settings/pass_day_limits", {
  success: Settings,
  error: anyFailure
})

export const group = HttpApiGroup.make("settings").add(retrieve, update, passDayLimits)
