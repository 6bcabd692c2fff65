import { conflict, notFound } from "@troupe/domain/api/ApiError"
import { makeCursor, pageSizeDefault, readCursor, timeOf } from "@troupe/domain/api/Page"
import * as Api from "@troupe/domain/api/Policies"
import { presetNames, presets } from "@troupe/domain/tools/Presets"
import { Effect, Layer } from "effect"
import { pageOfAll } from "../gateway/places.ts"
import { Caller } from "../gateway/Requests.ts"
import { type Asked, route } from "../gateway/Route.ts"
import { unreadable } from "../settings/routes.ts"
import { type PolicyVersion, SettingsStore } from "../workspace/SettingsStore.ts"
import { judge } from "./judge.ts"

const shown = ({ createdAt, policies, version }: PolicyVersion): Api.Policies => ({
  type: "policies",
  version,
  policies,
  created_at: timeOf(createdAt)
})

/** Before anybody wrote some, there are none. */
const none: Api.Policies = { type: "policies", version: 0, policies: [], created_at: null }

const newest = Effect.gen(function* () {
  const { workspaceId } = yield* Caller
  const store = yield* SettingsStore
  const [version] = yield* store.policyVersions(workspaceId, { before: null, limit: 1 })
  return version === undefined ? none : shown(version)
})

const retrieve = route(Api.retrieve, "read", ({ caller, query }) =>
  Effect.gen(function* () {
    const { version } = query
    if (version === undefined) return yield* newest
    if (version === 0) return none
    const store = yield* SettingsStore
    const [found] = yield* store.policyVersions(caller.workspaceId, {
      before: Math.min(version, 2_147_483_646) + 1,
      limit: 1
    })
    return found?.version === version ? shown(found) : yield* notFound("Policy version not found.")
  }).pipe(Effect.catchTag("SettingsUnreadable", unreadable))
)

const updated = ({ caller, payload }: Asked<typeof Api.update>) =>
  Effect.gen(function* () {
    const store = yield* SettingsStore
    const { policies, version } = payload
    yield* store.change(caller.workspaceId, caller.actor, ({ policiesVersion, settings }) =>
      policiesVersion === version
        ? Effect.succeed({ ...settings, policies })
        : Effect.fail(conflict(`Policies are at version ${policiesVersion}, not ${version}`))
    )
    return yield* newest
  }).pipe(Effect.catchTag("SettingsUnreadable", unreadable))

const update = Layer.merge(route(Api.update, "admin", updated), route(Api.update, "admin", updated, { method: "PUT" }))

const versions = route(Api.versions, "read", ({ caller, query }) =>
  Effect.gen(function* () {
    const store = yield* SettingsStore
    const limit = query.limit ?? pageSizeDefault
    const place =
      query.page === undefined
        ? null
        : yield* Effect.fromResult(readCursor("policies", ["number"] as const, query.page))
    const found = yield* store.policyVersions(caller.workspaceId, { before: place?.[0] ?? null, limit: limit + 1 })
    const data = found.slice(0, limit).map(shown)
    return { data, next_page: found.length > limit ? makeCursor("policies", [data.at(-1)!.version]) : null }
  }).pipe(Effect.catchTag("SettingsUnreadable", unreadable))
)

const presetList = presetNames.map((name) => ({ name, description: presets[name].description }))
const listPresets = route(Api.presets, "read", ({ query }) =>
  pageOfAll("presets", query, presetList, ({ name }) => name)
)

const dryRun = route(Api.dryRun, "read", ({ payload }) => judge(payload))

export const routes = Layer.mergeAll(retrieve, update, versions, listPresets, dryRun)
