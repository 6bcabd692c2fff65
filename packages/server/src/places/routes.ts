import { useIn } from "@troupe/domain/api/compat/directory"
import { notFound } from "@troupe/domain/api/ApiError"
import * as Api from "@troupe/domain/api/Places"
import type { RunnerId, SessionId, WorkspaceId } from "@troupe/domain/Ids"
import type { HostDirectory } from "@troupe/domain/runner/Workplace"
import { Effect, Layer, Option, Stream } from "effect"
import { Caller } from "../gateway/Requests.ts"
import { pageOfAll } from "../gateway/places.ts"
import { rawRoute, route } from "../gateway/Route.ts"
import { Reach } from "../runners/Reach.ts"
import { RunnerRegistry } from "../runners/RunnerRegistry.ts"
import { Workplaces } from "../runners/Workplaces.ts"
import { SessionReads } from "../sessions/SessionReads.ts"
import { result } from "./exec.ts"
import { execStream } from "./execStream.ts"
import { placeFailure, runnerFailure } from "./failures.ts"
import * as Files from "./files.ts"
import { terminal } from "./terminal.ts"

type Named = { readonly caller: { readonly workspaceId: WorkspaceId }; readonly params: { readonly id: SessionId } }

const sessionOf = ({ caller, params }: Named) =>
  Effect.flatMap(SessionReads, (reads) =>
    Effect.map(reads.find(caller.workspaceId, params.id), ({ session }) => session)
  )

const exec = route(Api.exec, "write", (asked) =>
  Effect.flatMap(sessionOf(asked), (session) => result(session, asked.payload))
)

const streamed = rawRoute(Api.execStream, "write", (asked, request) =>
  Effect.flatMap(sessionOf(asked), (session) => execStream(session, asked, request))
)

const terminals = rawRoute(Api.terminal, "write", (asked, request) =>
  Effect.flatMap(sessionOf(asked), (session) => terminal(session, asked.query, request))
)

const list = route(Api.listFiles, "read", (asked) =>
  Effect.flatMap(sessionOf(asked), (session) => Files.list(session, asked.query))
)
const read = rawRoute(Api.readFile, "read", (asked, request) =>
  Effect.flatMap(sessionOf(asked), (session) => Files.read(session, asked.query.path, request))
)
const write = rawRoute(Api.writeFile, "write", (asked, request) =>
  Effect.flatMap(sessionOf(asked), (session) => Files.write(session, asked.query.path, request))
)
const remove = route(Api.deleteFile, "write", (asked) =>
  Effect.flatMap(sessionOf(asked), (session) => {
    const { path, recursive } = asked.query
    return Files.remove(session, path, recursive === "true")
  })
)
const promote = route(Api.promoteFile, "write", (asked) =>
  Effect.flatMap(sessionOf(asked), (session) => Files.promote(session, asked.payload))
)
const watch = rawRoute(Api.watchFiles, "read", (asked, request) =>
  Effect.flatMap(sessionOf(asked), (session) => Files.watch(session, asked.query.path ?? Files.home, request))
)

/** As many as a runner tells of at once. */
const changesMax = 10_000

const changes = route(Api.changes, "read", (asked) =>
  Effect.gen(function* () {
    const session = yield* sessionOf(asked)
    const { workspaceId } = yield* Caller
    const workplaces = yield* Workplaces
    const { from = null, to = null } = asked.query
    const data = yield* Stream.runCollect(
      workplaces.stream({ workspaceId, sessionId: session.id }, "Diff", { from, to })
    ).pipe(Effect.mapError((error) => placeFailure(session.id, error)))
    return { data: [...data], truncated: data.length >= changesMax }
  })
)

/** A runner of the caller's workspace that can be asked. */
const runnerOf = Effect.fnUntraced(function* (runnerId: RunnerId) {
  const { workspaceId } = yield* Caller
  const registry = yield* RunnerRegistry
  const found = yield* Effect.orDie(registry.find(runnerId))
  if (Option.isNone(found) || found.value.workspaceId !== workspaceId) {
    return yield* notFound(`Runner ${runnerId} was not found.`)
  }
  return runnerId
})

const directoryOut = (directory: typeof HostDirectory.Type) => ({ type: "host_directory" as const, ...directory })

const browse = route(Api.browse, "read", ({ params, query }) =>
  Effect.gen(function* () {
    const { path = null, ...page } = query
    const runnerId = yield* runnerOf(params.id)
    const reach = yield* Reach
    const found = yield* reach.call(runnerId, "Browse", { path }).pipe(Effect.mapError(runnerFailure))
    const ordered = found.map(directoryOut).toSorted((one, other) => (one.path < other.path ? -1 : 1))
    return yield* pageOfAll(`directories ${runnerId} ${path ?? ""}`, page, ordered, (directory) => directory.path)
  })
)

const register = route(Api.registerDirectory, "admin", ({ params, payload: { path, use } }) =>
  Effect.gen(function* () {
    const runnerId = yield* runnerOf(params.id)
    const reach = yield* Reach
    const registered = yield* reach
      .call(runnerId, "RegisterDirectory", { path, use: useIn(use) })
      .pipe(Effect.mapError(runnerFailure))
    return directoryOut(registered)
  })
)

export const routes = Layer.mergeAll(
  exec,
  streamed,
  terminals,
  list,
  read,
  write,
  remove,
  promote,
  watch,
  changes,
  browse,
  register
)
