import type { SessionModelRequest } from "@troupe/domain/api/Replay"
import { notFound } from "@troupe/domain/api/ApiError"
import { timeOf } from "@troupe/domain/api/Page"
import type { ModelRequestId, SessionId, WorkspaceId } from "@troupe/domain/Ids"
import type { Json } from "@troupe/domain/Json"
import type { BlobRef } from "@troupe/domain/session/Content"
import type { EventOf } from "@troupe/domain/session/SessionEvent"
import { Effect, Option } from "effect"
import { BlobStore } from "../log/BlobStore.ts"
import { LoggedEvents, type LoggedPage } from "../sessions/LoggedEvents.ts"

const tags = ["ModelRequestStarted", "ModelRequestEnded"]
const pageSize = 200

/** What was kept, if it was and still is there. */
const kept = Effect.fnUntraced(function* (workspaceId: WorkspaceId, ref: BlobRef | null) {
  if (ref === null) return null
  const blobs = yield* BlobStore
  const found = yield* Effect.orDie(blobs.get(workspaceId, ref.sha256))
  return Option.match(found, {
    onNone: () => null,
    onSome: ({ bytes }) => JSON.parse(new TextDecoder().decode(bytes)) as Json
  })
})

/** A request to a model as the log has it, with what was sent and answered where the agent has that kept. */
export const readModelRequest = Effect.fn("readModelRequest")(function* (
  sessionId: SessionId,
  workspaceId: WorkspaceId,
  requestId: ModelRequestId
) {
  const logged = yield* LoggedEvents
  let started: { readonly seq: number; readonly at: number; readonly event: EventOf<"ModelRequestStarted"> } | null =
    null
  let ended: EventOf<"ModelRequestEnded"> | null = null
  for (let beyond: number | null = 0; ended === null && beyond !== null;) {
    const page: LoggedPage = yield* logged.page(sessionId, { beyond, order: "asc", tags, limit: pageSize })
    beyond = page.next
    for (const { event, recordedAt, seq } of page.events) {
      if (!("requestId" in event) || event.requestId !== requestId) continue
      if (event._tag === "ModelRequestStarted") started = { seq, at: recordedAt, event }
      if (event._tag === "ModelRequestEnded") ended = event
    }
  }
  if (started === null) return yield* notFound(`Model request ${requestId} was not found.`)
  const { at, event, seq } = started
  const answer: SessionModelRequest = {
    type: "session_model_request",
    id: requestId,
    session_id: sessionId,
    seq,
    provider: event.provider,
    model: event.model,
    started_at: timeOf(at),
    outcome: ended?.outcome ?? null,
    request: yield* kept(workspaceId, event.request),
    response: yield* kept(workspaceId, ended?.response ?? null)
  }
  return answer
})
