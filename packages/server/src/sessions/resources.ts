import { invalid, notFound } from "@troupe/domain/api/ApiError"
import { resourceOut, wantedFile } from "@troupe/domain/api/compat/resources"
import * as Api from "@troupe/domain/api/SessionResources"
import type { EnvironmentId, FileId, WorkspaceId } from "@troupe/domain/Ids"
import type { JsonObject } from "@troupe/domain/Json"
import { Effect, Layer } from "effect"
import { Environments } from "../environments/Environments.ts"
import { Files } from "../files/Files.ts"
import { pageOfAll } from "../gateway/places.ts"
import { type Asked, route } from "../gateway/Route.ts"
import { giveFiles } from "./giveFiles.ts"
import { noFilesThere } from "./openSession.ts"
import { command } from "./SessionCalls.ts"
import { SessionReads } from "./SessionReads.ts"

type Named = Pick<Asked<typeof Api.retrieve>, "caller" | "params">

const sessionOf = Effect.fnUntraced(function* (workspaceId: WorkspaceId, id: Named["params"]["id"]) {
  const reads = yield* SessionReads
  return (yield* reads.find(workspaceId, id)).session
})

const resourceOf = Effect.fnUntraced(function* ({ caller, params }: Named) {
  const { resources } = yield* sessionOf(caller.workspaceId, params.id)
  const found = resources.find(({ id }) => id === params.resource)
  return found ?? (yield* notFound(`Resource ${params.resource} was not found.`))
})

const pathsOf = (resources: ReadonlyArray<JsonObject>): ReadonlyArray<string> =>
  resources.flatMap(({ mount_path }) => (typeof mount_path === "string" ? [mount_path] : []))

/** Of an environment that is gone nobody knows: its sessions are taken for ours. */
const isSelfHosted = Effect.fnUntraced(function* (workspaceId: WorkspaceId, id: EnvironmentId | null) {
  if (id === null) return false
  const environments = yield* Environments
  const found = environments.find(workspaceId, id)
  return yield* found.pipe(
    Effect.map(({ definition }) => definition.config.type === "self_hosted"),
    Effect.catchTag("ApiFailure", () => Effect.succeed(false))
  )
})

/** The session's next turn finds it mounted. */
const add = route(Api.add, "write", ({ caller, params, payload }) =>
  Effect.gen(function* () {
    const files = yield* Files
    const { archived_at, environment_id, id, resources } = yield* sessionOf(caller.workspaceId, params.id)
    if (archived_at !== null) return yield* invalid(`Session ${id} is archived and takes no more resources.`)
    const wanted = yield* Effect.fromResult(wantedFile(payload, pathsOf(resources)))
    if (yield* isSelfHosted(caller.workspaceId, environment_id)) return yield* noFilesThere
    const [resource] = yield* giveFiles(id, [wanted])
    yield* command(id, { _tag: "AddResource", resource: resource! }).pipe(
      Effect.tapError(() => files.drop(caller.workspaceId, resource!.spec.file_id))
    )
    return resourceOut(resource!) as unknown as Api.FileResource
  })
)

/** In the order of their ids, which is about that in which they were added. */
const list = route(Api.list, "read", ({ caller, params, query }) =>
  Effect.gen(function* () {
    const { id, resources } = yield* sessionOf(caller.workspaceId, params.id)
    const idOf = (resource: JsonObject) => String(resource["id"])
    const ordered = resources.toSorted((one, other) => (idOf(one) < idOf(other) ? -1 : 1))
    return yield* pageOfAll(`resources ${id}`, query, ordered, idOf)
  })
)

const retrieve = route(Api.retrieve, "read", resourceOf)

const update = route(Api.update, "write", (asked) =>
  Effect.gen(function* () {
    const { type } = yield* resourceOf(asked)
    return yield* invalid(`Only github_repository resources can be updated; this one is a ${String(type)}`)
  })
)

/** What a turn that runs has mounted stays there until its end. */
const remove = route(Api.remove, "write", (asked) =>
  Effect.gen(function* () {
    const files = yield* Files
    const { caller, params } = asked
    const resource = yield* resourceOf(asked)
    yield* command(params.id, { _tag: "RemoveResource", resourceId: params.resource })
    if (typeof resource["file_id"] === "string") yield* files.drop(caller.workspaceId, resource["file_id"] as FileId)
    return { id: params.resource, type: "session_resource_deleted" as const }
  })
)

export const routes = Layer.mergeAll(add, list, retrieve, update, remove)
