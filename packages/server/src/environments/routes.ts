import * as Api from "@troupe/domain/api/Environments"
import { Effect, Layer } from "effect"
import { pageOf } from "../gateway/places.ts"
import { type Asked, route } from "../gateway/Route.ts"
import { Environments } from "./Environments.ts"

const list = route(Api.list, "read", ({ caller, query }) =>
  Effect.gen(function* () {
    const environments = yield* Environments
    return yield* pageOf("environments", query, (options) =>
      environments.list(caller.workspaceId, { ...options, includeArchived: query.include_archived === "true" })
    )
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
