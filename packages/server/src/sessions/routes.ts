import { invalid, notFound } from "@troupe/domain/api/ApiError"
import { makeCursor, microsOf, pageSizeDefault, readCursor } from "@troupe/domain/api/Page"
import * as Api from "@troupe/domain/api/Sessions"
import type { SessionCommand } from "@troupe/domain/session/SessionCommand"
import { Effect, Layer } from "effect"
import { pageOfAll } from "../gateway/places.ts"
import { type Asked, route } from "../gateway/Route.ts"
import { openSession } from "./openSession.ts"
import { command } from "./SessionCalls.ts"
import { SessionReads } from "./SessionReads.ts"
import { threadsOf } from "./threads.ts"
import { updateSession } from "./updateSession.ts"

type Query = Asked<typeof Api.list>["query"]

const cursorShape = ["string", "number", "string", "string"] as const

/** A cursor is bound to the order of its list: what comes next there is nothing that another order could go on from. */
const placeOf = Effect.fnUntraced(function* (query: Query, order: "asc" | "desc") {
  if (query.page === undefined) return null
  const [made, createdAt, sessionId, way] = yield* Effect.fromResult(readCursor("sessions", cursorShape, query.page))
  if (made !== order) return yield* invalid("page token order does not match request")
  return { place: { createdAt, sessionId }, backwards: way === "before" }
})

/** Sessions keep milliseconds: those of a bound that it leaves out are the ones that it lies in. */
const bounds = (query: Query) => {
  const ms = (time: string | undefined) => (time === undefined ? [] : [microsOf(time) / 1_000])
  const from = [
    ...ms(query["created_at[gte]"]).map(Math.ceil),
    ...ms(query["created_at[gt]"]).map((at) => Math.floor(at) + 1)
  ]
  const to = [
    ...ms(query["created_at[lte]"]).map(Math.floor),
    ...ms(query["created_at[lt]"]).map((at) => Math.ceil(at) - 1)
  ]
  return { from: from.length === 0 ? null : Math.max(...from), to: to.length === 0 ? null : Math.min(...to) }
}

const list = route(Api.list, "read", ({ caller, query }) =>
  Effect.gen(function* () {
    const reads = yield* SessionReads
    const order = query.order ?? "desc"
    const limit = query.limit ?? pageSizeDefault
    const at = yield* placeOf(query, order)
    const backwards = at?.backwards ?? false
    if (query.memory_store_id !== undefined) return { data: [], next_page: null, prev_page: null }
    const found = yield* reads.list(caller.workspaceId, {
      agentId: query.agent_id ?? null,
      agentVersion: query.agent_version ?? null,
      deploymentId: query.deployment_id ?? null,
      projectId: query.project_id ?? null,
      bound: caller.bound,
      statuses: query["statuses[]"] ?? null,
      includeArchived: query.include_archived === "true",
      ...bounds(query),
      order,
      place: at?.place ?? null,
      backwards,
      limit: limit + 1
    })
    const more = found.length > limit
    const some = found.slice(0, limit).map(({ session }) => session)
    const data = backwards ? some.reverse() : some
    const cursor = (session: Api.Session | undefined, way: "after" | "before") =>
      session === undefined ? null : makeCursor("sessions", [order, Date.parse(session.created_at), session.id, way])
    return {
      data,
      next_page: more || backwards ? cursor(data.at(-1), "after") : null,
      prev_page: backwards ? (more ? cursor(data[0], "before") : null) : at === null ? null : cursor(data[0], "before")
    }
  })
)

type Named = Pick<Asked<typeof Api.retrieve>, "caller" | "params">

const viewed = ({ caller, params }: Named) =>
  Effect.flatMap(SessionReads, (reads) => reads.find(caller.workspaceId, params.id))

const found = (named: Named) => Effect.map(viewed(named), ({ session }) => session)

const create = route(Api.create, "write", ({ caller, payload }) =>
  Effect.flatMap(openSession(payload), (id) => found({ caller, params: { id } }))
)

const retrieve = route(Api.retrieve, "read", found)

const updated = (asked: Asked<typeof Api.update>) =>
  Effect.gen(function* () {
    const { around, session } = yield* viewed(asked)
    if (session.archived_at !== null) return yield* invalid(`Session ${session.id} is archived and can't be changed`)
    yield* updateSession(session, around.primary, asked.payload)
    return yield* found(asked)
  })
const update = route(Api.update, "write", updated)

/** A command whose outcome is the session itself. */
const commanded = (body: SessionCommand) => (asked: Pick<Asked<typeof Api.archive>, "caller" | "params">) =>
  Effect.gen(function* () {
    const { id } = yield* found(asked)
    yield* command(id, body)
    return yield* found(asked)
  })

const archive = route(Api.archive, "write", (asked) =>
  Effect.gen(function* () {
    const session = yield* found(asked)
    return session.archived_at === null ? yield* commanded({ _tag: "Archive" })(asked) : session
  })
)
const pause = route(Api.pause, "write", commanded({ _tag: "Pause" }))
const resume = route(Api.resume, "write", commanded({ _tag: "Resume" }))

const remove = route(Api.remove, "write", (asked) =>
  Effect.gen(function* () {
    const { id } = yield* found(asked)
    yield* command(id, { _tag: "Delete" })
    return { id, type: "session_deleted" as const }
  })
)

const threads = route(Api.threads, "read", (asked) =>
  Effect.gen(function* () {
    const { "statuses[]": statuses, ...page } = asked.query
    const view = yield* viewed(asked)
    const all = (yield* threadsOf(view)).filter(({ status }) => statuses === undefined || statuses.includes(status))
    return yield* pageOfAll(`threads ${view.session.id}`, page, all, ({ id }) => id)
  })
)

const oneThread = (asked: Pick<Asked<typeof Api.thread>, "caller" | "params">) =>
  Effect.gen(function* () {
    const found = (yield* threadsOf(yield* viewed(asked))).find(({ id }) => id === asked.params.thread)
    return found ?? (yield* notFound(`Thread ${asked.params.thread} was not found.`))
  })
const thread = route(Api.thread, "read", oneThread)

/** The thread of the session itself goes with the session. */
const archiveThread = route(Api.archiveThread, "write", (asked) =>
  Effect.gen(function* () {
    const before = yield* oneThread(asked)
    if (before.archived_at !== null) return before
    if (before.parent_thread_id === null) return yield* invalid("The primary thread is archived with its session")
    yield* command(asked.params.id, { _tag: "ArchiveThread", threadId: before.id })
    return yield* oneThread(asked)
  })
)

export const routes = Layer.mergeAll(
  list,
  create,
  retrieve,
  update,
  archive,
  pause,
  resume,
  remove,
  threads,
  thread,
  archiveThread
)
