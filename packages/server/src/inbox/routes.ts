import { invalid, notFound } from "@troupe/domain/api/ApiError"
import * as Api from "@troupe/domain/api/Inbox"
import { makeCursor, pageSizeDefault, readCursor, timeOf, timeOfMicros } from "@troupe/domain/api/Page"
import type { AgentId, EventId, SessionId } from "@troupe/domain/Ids"
import { Effect, Layer } from "effect"
import { Caller } from "../gateway/Requests.ts"
import { route } from "../gateway/Route.ts"
import { SessionReads } from "../sessions/SessionReads.ts"
import { answerApproval, answerQuestion } from "./answering.ts"
import { askedOfSession, awaited } from "./askedOfSession.ts"
import { type AskedCall, Inbox, type InboxFilter } from "./Inbox.ts"

const askedOut = (call: AskedCall) => ({
  id: call.callId,
  session_id: call.sessionId,
  session_title: call.sessionTitle,
  agent_id: call.agentId,
  thread_id: call.threadId,
  turn_id: call.turnId,
  tool: call.tool,
  server: call.server,
  seq: call.seq,
  asked_at: timeOfMicros(call.askedAt),
  expires_at: call.expiresAt === null ? null : timeOf(call.expiresAt)
})

export const approvalOut = (call: AskedCall): Api.Approval => ({
  type: "approval",
  ...askedOut(call),
  executor: call.executor,
  input: call.input,
  input_digest: call.inputDigest,
  reason: call.reason,
  rule: call.rule
})

const questionOut = (call: AskedCall): Api.Question => ({
  type: "question",
  ...askedOut(call),
  question: call.question
})

interface Query {
  readonly order?: "asc" | "desc"
  readonly limit?: number
  readonly page?: string
  readonly session_id?: SessionId
  readonly agent_id?: AgentId
  readonly tool?: string
}

const cursorShape = ["string", "number", "string"] as const

const placeOf = Effect.fnUntraced(function* (name: string, { order = "asc", page }: Query) {
  if (page === undefined) return null
  const [made, askedAt, callId] = yield* Effect.fromResult(readCursor(name, cursorShape, page))
  return made === order ? { askedAt, callId } : yield* invalid("page token order does not match request")
})

/** What one page shows of calls that come in its order, one more than it takes if there is more. */
const pageOf = <A>(name: string, query: Query, calls: ReadonlyArray<AskedCall>, out: (call: AskedCall) => A) => {
  const { limit = pageSizeDefault, order = "asc" } = query
  const some = calls.slice(0, limit)
  const last = some.at(-1)
  const more = calls.length > limit && last !== undefined
  return { data: some.map(out), next_page: more ? makeCursor(name, [order, last.askedAt, last.callId]) : null }
}

/** Those that have waited longest come first. */
const across = <A>(kind: InboxFilter["kind"], query: Query, out: (call: AskedCall) => A) =>
  Effect.gen(function* () {
    const inbox = yield* Inbox
    const { workspaceId } = yield* Caller
    const calls = yield* inbox.list(workspaceId, {
      kind,
      sessionId: query.session_id ?? null,
      agentId: query.agent_id ?? null,
      tool: query.tool ?? null,
      order: query.order ?? "asc",
      place: yield* placeOf(kind, query),
      limit: (query.limit ?? pageSizeDefault) + 1
    })
    return pageOf(kind, query, calls, out)
  })

const found = (sessionId: SessionId) =>
  Effect.gen(function* () {
    const reads = yield* SessionReads
    const { workspaceId } = yield* Caller
    return yield* reads.find(workspaceId, sessionId)
  })

const within = <A>(sessionId: SessionId, kind: InboxFilter["kind"], query: Query, out: (call: AskedCall) => A) =>
  Effect.gen(function* () {
    const name = `${kind} ${sessionId}`
    const place = yield* placeOf(name, query)
    const all = (yield* askedOfSession(yield* found(sessionId), kind)).filter(
      ({ tool }) => query.tool === undefined || tool === query.tool
    )
    const isDescending = query.order === "desc"
    const ordered = isDescending ? all.toReversed() : all
    // What the last page ended with may be answered by now.
    const isBehind = ({ askedAt, callId }: AskedCall) =>
      place === null ||
      (askedAt === place.askedAt
        ? callId !== place.callId && callId < place.callId === isDescending
        : askedAt < place.askedAt === isDescending)
    return pageOf(name, query, ordered.filter(isBehind), out)
  })

const asking = (kind: InboxFilter["kind"], callId: EventId) =>
  Effect.gen(function* () {
    const inbox = yield* Inbox
    const { workspaceId } = yield* Caller
    const sessionId = yield* inbox.sessionOf(workspaceId, kind, callId)
    const gone = notFound(`${callId} was not found, or was answered before.`)
    if (sessionId === null) return yield* gone
    const view = yield* found(sessionId)
    // The table follows the log a moment later, and the session knows better.
    return (yield* awaited(sessionId)).has(callId) ? view : yield* gone
  })

export const routes = Layer.mergeAll(
  route(Api.approvals, "read", ({ query }) => across("approval", query, approvalOut)),
  route(Api.questions, "read", ({ query }) => across("question", query, questionOut)),
  route(Api.sessionApprovals, "read", ({ params, query }) => within(params.id, "approval", query, approvalOut)),
  route(Api.sessionQuestions, "read", ({ params, query }) => within(params.id, "question", query, questionOut)),
  route(Api.answerApproval, "approve", ({ params, payload }) =>
    Effect.flatMap(asking("approval", params.call), (view) => answerApproval(view, params.call, payload))
  ),
  route(Api.answerSessionApproval, "approve", ({ params, payload }) =>
    Effect.flatMap(found(params.id), (view) => answerApproval(view, params.call, payload))
  ),
  route(Api.answerQuestion, "write", ({ params, payload }) =>
    Effect.flatMap(asking("question", params.call), (view) => answerQuestion(view, params.call, payload.answer))
  ),
  route(Api.answerSessionQuestion, "write", ({ params, payload }) =>
    Effect.flatMap(found(params.id), (view) => answerQuestion(view, params.call, payload.answer))
  )
)
