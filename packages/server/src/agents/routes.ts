import * as Api from "@troupe/domain/api/Agents"
import { makeCursor, microsOf, pageSizeDefault, readCursor } from "@troupe/domain/api/Page"
import { Effect, Layer } from "effect"
import { pageOf } from "../gateway/places.ts"
import { type Asked, route } from "../gateway/Route.ts"
import { Agents } from "./Agents.ts"

const list = route(Api.list, "read", ({ caller, query }) =>
  Effect.gen(function* () {
    const agents = yield* Agents
    const from = query["created_at[gte]"]
    const to = query["created_at[lte]"]
    return yield* pageOf("agents", query, (options) =>
      agents.list(caller.workspaceId, {
        ...options,
        includeArchived: query.include_archived === "true",
        from: from === undefined ? null : Math.ceil(microsOf(from) / 1_000),
        to: to === undefined ? null : Math.floor(microsOf(to) / 1_000)
      })
    )
  })
)

const versions = route(Api.versions, "read", ({ caller, params, query }) =>
  Effect.gen(function* () {
    const agents = yield* Agents
    const limit = query.limit ?? pageSizeDefault
    const place =
      query.page === undefined
        ? null
        : yield* Effect.fromResult(readCursor(`versions ${params.id}`, ["number"] as const, query.page))
    const found = yield* agents.versions(caller.workspaceId, params.id, {
      before: place?.[0] ?? null,
      limit: limit + 1
    })
    const data = found.slice(0, limit)
    const more = found.length > limit
    return { data, next_page: more ? makeCursor(`versions ${params.id}`, [data.at(-1)!.version]) : null }
  })
)

const retrieve = route(Api.retrieve, "read", ({ caller, params, query }) =>
  Effect.flatMap(Agents, (agents) =>
    Effect.map(agents.find(caller.workspaceId, params.id, query.version), ({ agent }) => agent)
  )
)
const version = route(Api.version, "read", ({ caller, params }) =>
  Effect.flatMap(Agents, (agents) =>
    Effect.map(agents.find(caller.workspaceId, params.id, params.version), ({ agent }) => agent)
  )
)
const create = route(Api.create, "write", ({ payload }) => Effect.flatMap(Agents, (agents) => agents.create(payload)))
const updated = ({ params, payload }: Asked<typeof Api.update>) =>
  Effect.flatMap(Agents, (agents) => agents.update(params.id, payload))
const update = Layer.merge(route(Api.update, "write", updated), route(Api.update, "write", updated, { method: "PUT" }))

const archived = ({ params }: Asked<typeof Api.archive>) =>
  Effect.flatMap(Agents, (agents) => agents.archive(params.id))
const archive = Layer.merge(
  route(Api.archive, "write", archived),
  route(Api.archive, "write", archived, { method: "DELETE", path: "/v1/agents/:id" })
)

export const routes = Layer.mergeAll(list, create, retrieve, version, versions, update, archive)
