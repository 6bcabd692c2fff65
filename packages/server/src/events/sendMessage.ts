import type * as Api from "@troupe/domain/api/Events"
import { Effect } from "effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import { Idempotency, toResponse } from "../gateway/Idempotency.ts"
import { RequestId } from "../gateway/Requests.ts"
import { answerOf, type Asked } from "../gateway/Route.ts"
import { Watchers } from "../session/Watchers.ts"
import { SessionReads } from "../sessions/SessionReads.ts"
import { sendEvents } from "./sendEvents.ts"
import { follow, liveWithinMs, previewsOf, showing, viewOf } from "./streams.ts"

/** Says something, and brings what comes of it until the session rests. */
export const sendMessage = Effect.fn("sendMessage")(function* (
  { caller, params, payload, query }: Asked<typeof Api.message>,
  request: HttpServerRequest
) {
  const reads = yield* SessionReads
  const idempotency = yield* Idempotency
  const watchers = yield* Watchers
  const requestId = yield* RequestId
  const known = yield* reads.known(caller.workspaceId, params.id)
  const { around, id } = known
  const content = typeof payload.content === "string" ? [{ type: "text", text: payload.content }] : payload.content

  // The reader stands before, so that no part of the answer is missed.
  const ahead = query["event_deltas[]"] === undefined ? null : yield* watchers.open(id, 2_147_483_647)
  if (ahead !== null) yield* Effect.timeoutOption(ahead.live, liveWithinMs)
  const message = { type: "user.message", content, ...(payload.troupe === undefined ? {} : { troupe: payload.troupe }) }
  const sending = Effect.map(sendEvents(known, [message]), ({ seq }) => ({ seq }))
  const key = request.headers["idempotency-key"]
  const asked = () => `POST ${request.url}\n${JSON.stringify(payload)}`
  const answer = yield* idempotency.run({ caller, key, asked }, answerOf(sending))
  if (answer.status !== 200) return toResponse(answer)
  const { seq } = JSON.parse(answer.body) as { readonly seq: number }

  const reader = yield* watchers.open(id, seq - 1)
  const text = showing(viewOf(around), around, previewsOf(query), true)
  return yield* follow(request, requestId, reader, text)
})
