import { ApiFailure, conflict, invalid } from "@troupe/domain/api/ApiError"
import { pricesIn, pricesOut } from "@troupe/domain/api/Prices"
import * as Api from "@troupe/domain/api/Settings"
import { noDefaults, type WorkspaceSettings } from "@troupe/domain/workspace/WorkspaceSettings"
import { Clock, Effect, Layer } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { Environments } from "../environments/Environments.ts"
import { Caller } from "../gateway/Requests.ts"
import { type Asked, route } from "../gateway/Route.ts"
import { dayOf } from "../usage/DayBudgets.ts"
import { type SettingsUnreadable, SettingsStore } from "../workspace/SettingsStore.ts"

/** Nobody guesses what they meant: somebody has to look. */
export const unreadable = ({ message }: SettingsUnreadable) => new ApiFailure({ type: "api_error", message })

const shown = Effect.gen(function* () {
  const { workspaceId } = yield* Caller
  const store = yield* SettingsStore
  const environments = yield* Environments
  const { passedOn, settings, version } = yield* store.get(workspaceId)
  const { auxModel, harness, model } = settings.defaults ?? noDefaults
  const usual = yield* environments.findUsual(workspaceId)
  const out: Api.Settings = {
    type: "settings",
    version,
    day_limits: settings.dayLimits,
    day_limits_passed_on: passedOn,
    default_environment_id: usual?.environment.id ?? null,
    default_model: model,
    default_aux_model: auxModel,
    default_harness: harness,
    mcp_sampling: settings.mcpSampling ?? true,
    prices: pricesOut(settings.prices ?? {})
  }
  return out
}).pipe(Effect.catchTag("SettingsUnreadable", unreadable))

const either = <A>(given: A | undefined, before: A): A => (given === undefined ? before : given)

const changed = (before: WorkspaceSettings, input: Api.SettingsUpdate): WorkspaceSettings => {
  const defaults = before.defaults ?? noDefaults
  const { day_limits, default_aux_model, default_harness, default_model, mcp_sampling, prices } = input
  return {
    ...before,
    dayLimits: either(day_limits, before.dayLimits),
    defaults: {
      model: either(default_model, defaults.model),
      auxModel: either(default_aux_model, defaults.auxModel),
      harness: either(default_harness, defaults.harness)
    },
    prices: prices === undefined ? (before.prices ?? {}) : pricesIn(prices),
    mcpSampling: mcp_sampling ?? before.mcpSampling ?? true
  }
}

const retrieve = route(Api.retrieve, "read", () => shown)

const updated = ({ payload }: Asked<typeof Api.update>) =>
  Effect.gen(function* () {
    const { actor, workspaceId } = yield* Caller
    const store = yield* SettingsStore
    const environments = yield* Environments
    const sql = yield* SqlClient.SqlClient
    const { default_environment_id, version } = payload
    yield* sql.withTransaction(
      Effect.gen(function* () {
        yield* store.change(workspaceId, actor, (before) =>
          version === undefined || version === before.version
            ? Effect.succeed(changed(before.settings, payload))
            : Effect.fail(conflict(`Settings are at version ${before.version}, not ${version}`))
        )
        if (default_environment_id === undefined) return
        const { environment } = yield* environments
          .find(workspaceId, default_environment_id)
          .pipe(
            Effect.catchTag("ApiFailure", ({ message }) => Effect.fail(invalid(`default_environment_id: ${message}`)))
          )
        if (environment.archived_at !== null)
          return yield* invalid("default_environment_id: the environment is archived")
        yield* environments.makeUsual(default_environment_id)
      })
    )
    return yield* shown
  }).pipe(Effect.catchTag("SettingsUnreadable", unreadable))

const update = Layer.merge(route(Api.update, "admin", updated), route(Api.update, "admin", updated, { method: "PUT" }))

const passDayLimits = route(Api.passDayLimits, "admin", ({ caller }) =>
  Effect.gen(function* () {
    const store = yield* SettingsStore
    yield* store.pass(caller.workspaceId, dayOf(yield* Clock.currentTimeMillis), caller.actor)
    return yield* shown
  })
)

export const routes = Layer.mergeAll(retrieve, update, passDayLimits)
