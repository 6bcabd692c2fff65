import * as Api from "@troupe/domain/api/Events"
import { Effect, Layer, Option } from "effect"
import { rawRoute, route } from "../gateway/Route.ts"
import { EventStore } from "../log/EventStore.ts"
import { SessionReads } from "../sessions/SessionReads.ts"
import { listEvents } from "./listEvents.ts"
import { showBlobs } from "./showBlobs.ts"
import { sendEvents } from "./sendEvents.ts"
import { logEvent, streamEvents, streamLog } from "./streams.ts"

const list = route(Api.list, "read", ({ caller, params, query }) =>
  Effect.gen(function* () {
    const reads = yield* SessionReads
    const page = yield* listEvents(yield* reads.find(caller.workspaceId, params.id), query)
    return { ...page, data: yield* showBlobs(caller.workspaceId, page.data) }
  })
)

const send = route(Api.send, "write", ({ caller, params, payload }) =>
  Effect.gen(function* () {
    const reads = yield* SessionReads
    const sent = yield* sendEvents(yield* reads.find(caller.workspaceId, params.id), payload.events)
    return { data: yield* showBlobs(caller.workspaceId, sent) }
  })
)

const log = route(Api.log, "read", ({ caller, params, query }) =>
  Effect.gen(function* () {
    const reads = yield* SessionReads
    const { session } = yield* reads.find(caller.workspaceId, params.id)
    const store = yield* EventStore
    const limit = query.limit ?? 100
    const page = yield* Effect.orDie(store.read(session.id, { after: query.after ?? 0, limit }))
    const last = page.at(-1)
    // A page may end before its limit where events are large: only the log's end is the end.
    const end = page.length === limit ? null : yield* Effect.orDie(store.head(session.id))
    const more = end === null || (Option.isSome(end) && last !== undefined && last.seq < end.value.version)
    return { data: page.map(logEvent), next_after: more ? (last?.seq ?? null) : null }
  })
)

export const routes = Layer.mergeAll(
  list,
  send,
  rawRoute(Api.stream, "read", streamEvents),
  log,
  rawRoute(Api.logStream, "read", streamLog)
)
