import * as Api from "@troupe/domain/api/Projects"
import { Effect, Layer } from "effect"
import { pageOf } from "../gateway/places.ts"
import { type Asked, route } from "../gateway/Route.ts"
import { Projects } from "./Projects.ts"

const list = route(Api.list, "read", ({ caller, query }) =>
  Effect.flatMap(Projects, (projects) =>
    pageOf("projects", query, (options) =>
      projects.list(caller.workspaceId, { ...options, includeArchived: query.include_archived === "true" })
    )
  )
)
const create = route(Api.create, "write", ({ payload }) => Effect.flatMap(Projects, ({ create }) => create(payload)))
const retrieve = route(Api.retrieve, "read", ({ caller, params }) =>
  Effect.flatMap(Projects, ({ find }) => find(caller.workspaceId, params.id))
)
const updated = ({ params, payload }: Asked<typeof Api.update>) =>
  Effect.flatMap(Projects, ({ update }) => update(params.id, payload))
const update = Layer.merge(route(Api.update, "write", updated), route(Api.update, "write", updated, { method: "PUT" }))
const archive = route(Api.archive, "write", ({ params }) =>
  Effect.flatMap(Projects, ({ archive }) => archive(params.id))
)
const remove = route(Api.remove, "write", ({ params }) =>
  Effect.flatMap(Projects, ({ remove }) =>
    Effect.as(remove(params.id), { id: params.id, type: "project_deleted" as const })
  )
)

export const routes = Layer.mergeAll(list, create, retrieve, update, archive, remove)
