import * as Api from "@troupe/domain/api/Environments"
import { makeCursor, pageSizeDefault, readCursor } from "@troupe/domain/api/Page"
import { Effect, Layer } from "effect"
import { type Asked, route } from "../gateway/Route.ts"
import { Environments } from "./Environments.ts"

const list = route(Api.list, "read", ({ caller, query }) =>
  Effect.gen(function* () {
    const environments = yield* Environments
    const limit = query.limit ?? pageSizeDefault
    const place =
      query.page === undefined
        ? null
        : yield* Effect.fromResult(readCursor("environments", ["number", "string"] as const, query.page))
    const found = yield* environments.list(caller.workspaceId, {
      includeArchived: query.include_archived === "true",
      after: place === null ? null : { createdAt: place[0], environmentId: place[1] },
      limit: limit + 1
    })
    const data = found.slice(0, limit)
    const last = data.at(-1)
    const more = found.length > limit && last !== undefined
    return { data, next_page: more ? makeCursor("environments", [Date.parse(last.created_at), last.id]) : null }
  })
)

const create = route(Api.create, "write", ({ payload }) =>
  Effect.flatMap(Environments, (environments) => environments.create(payload))
)
const retrieve = route(Api.retrieve, "read", ({ caller, params }) =>
  Effect.flatMap(Environments, (environments) =>
    Effect.map(environments.find(caller.workspaceId, params.id), ({ environment }) => environment)
  )
)
const updated = ({ params, payload }: Asked<typeof Api.update>) =>
  Effect.flatMap(Environments, (environments) => environments.update(params.id, payload))
const update = Layer.merge(route(Api.update, "write", updated), route(Api.update, "write", updated, { method: "PUT" }))
const archive = route(Api.archive, "write", ({ params }) =>
  Effect.flatMap(Environments, (environments) => environments.archive(params.id))
)
const remove = route(Api.remove, "write", ({ params }) =>
  Effect.flatMap(Environments, (environments) =>
    Effect.as(environments.remove(params.id), { id: params.id, type: "environment_deleted" as const })
  )
)

export const routes = Layer.mergeAll(list, create, retrieve, update, archive, remove)
