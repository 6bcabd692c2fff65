import * as Api from "@troupe/domain/api/Events"
import type { WorkspaceId } from "@troupe/domain/Ids"
import { Effect, Layer } from "effect"
import { roomOf } from "../gateway/BodyRoom.ts"
import { rawRoute, route } from "../gateway/Route.ts"
import { SessionReads } from "../sessions/SessionReads.ts"
import { threadView } from "../sessions/threads.ts"
import { listEvents } from "./listEvents.ts"
import { showBlobs } from "./showBlobs.ts"
import { sendEvents } from "./sendEvents.ts"
import { sendMessage } from "./sendMessage.ts"
import { readLog, streamEvents, streamLog } from "./streams.ts"

/** A page with what lies beside the log, as far as there is room for it. */
const shownWhole = Effect.fnUntraced(function* (
  workspaceId: WorkspaceId,
  page: Effect.Success<ReturnType<typeof listEvents>>
) {
  const { take } = yield* roomOf
  return { ...page, data: yield* showBlobs(workspaceId, page.data, take) }
})

const list = route(Api.list, "read", ({ caller, params, query }) =>
  Effect.gen(function* () {
    const reads = yield* SessionReads
    const page = yield* listEvents(yield* reads.find(caller.workspaceId, params.id), query)
    return yield* shownWhole(caller.workspaceId, page)
  })
)

const listOfThread = route(Api.listOfThread, "read", ({ caller, params, query }) =>
  Effect.gen(function* () {
    const view = yield* threadView(caller.workspaceId, params)
    const page = yield* listEvents(view, query)
    return yield* shownWhole(caller.workspaceId, page)
  })
)

const streamOfThread = rawRoute(Api.streamOfThread, "read", ({ caller, params, query }, request) =>
  Effect.flatMap(threadView(caller.workspaceId, params), (view) => streamEvents(view, query, request))
)

const stream = rawRoute(Api.stream, "read", ({ caller, params, query }, request) =>
  Effect.gen(function* () {
    const reads = yield* SessionReads
    return yield* streamEvents(yield* reads.find(caller.workspaceId, params.id), query, request)
  })
)

const send = route(
  Api.send,
  "write",
  ({ caller, params, payload }) =>
    Effect.gen(function* () {
      const reads = yield* SessionReads
      const { sent } = yield* sendEvents(yield* reads.known(caller.workspaceId, params.id), payload.events)
      return { data: yield* showBlobs(caller.workspaceId, sent) }
    }),
  { isRepeatable: true }
)

const log = route(Api.log, "read", ({ caller, params, query }) =>
  Effect.gen(function* () {
    const reads = yield* SessionReads
    const { session } = yield* reads.find(caller.workspaceId, params.id)
    return yield* readLog(session.id, query)
  })
)

export const routes = Layer.mergeAll(
  list,
  send,
  rawRoute(Api.message, "write", sendMessage),
  stream,
  listOfThread,
  streamOfThread,
  log,
  rawRoute(Api.logStream, "read", streamLog)
)
