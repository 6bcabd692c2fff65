import { conflict } from "@troupe/domain/api/ApiError"
import type * as Api from "@troupe/domain/api/Places"
import type { Session } from "@troupe/domain/api/Sessions"
import { Effect, Stream } from "effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { type Answer, answerLengthMax, Idempotency, toResponse } from "../gateway/Idempotency.ts"
import { failureBody, RequestId, statusOf } from "../gateway/Requests.ts"
import { revoked } from "../gateway/revoked.ts"
import { type Asked, renumbered } from "../gateway/Route.ts"
import { frame, serve } from "../gateway/Sse.ts"
import { type Out, run } from "./exec.ts"

const shown = (one: Out): string =>
  one._tag === "Ended"
    ? frame("ended", JSON.stringify(one.ending))
    : frame(one.stream, JSON.stringify({ data: Buffer.from(one.bytes).toString("base64") }))

/** What was written of a stream, as far as an answer may be long. */
const keeper = () => {
  let text = ""
  let length = 0
  let isWhole = false
  return {
    add: (more: string) => {
      length += more.length
      if (length <= answerLengthMax) text += more
      return more
    },
    end: () => void (isWhole = true),
    /** A stream that was cut, or that ended in an error, is none that could be shown again. */
    answer: (requestId: string): Answer => {
      if (!isWhole) return { status: 503, body: "" }
      if (length <= answerLengthMax) return { status: 200, body: text }
      const failure = conflict(`This program was run; what it said had ${length} characters and is not kept`)
      return { status: statusOf(failure), body: JSON.stringify(failureBody(failure, requestId)) }
    }
  }
}

/** Runs a program and brings what it says as it comes. Sent again under its key, it brings what was said then. */
export const execStream = Effect.fn("places.execStream")(function* (
  session: Session,
  { caller, payload }: Asked<typeof Api.execStream>,
  request: HttpServerRequest
) {
  const { run: once } = yield* Idempotency
  const requestId = yield* RequestId
  const key = request.headers["idempotency-key"]
  const said = keeper()
  let served: HttpServerResponse.HttpServerResponse | null = null

  const work = Effect.gen(function* () {
    const output = yield* run(session, payload)
    served = yield* serve(request, requestId, ({ write }) =>
      Stream.runForEach(output, (one) => write(key === undefined ? shown(one) : said.add(shown(one)))).pipe(
        Effect.andThen(Effect.sync(said.end)),
        Effect.catch(({ code, message, type }) =>
          write(frame("error", JSON.stringify({ type, message, ...(code === undefined ? {} : { code }) })))
        ),
        Effect.raceFirst(revoked(request))
      )
    )
    return said.answer(requestId)
  })

  const asked = () => `POST ${request.url}\n${JSON.stringify(payload)}`
  const answer = yield* once({ caller, key, asked }, work)
  if (served !== null) return served as HttpServerResponse.HttpServerResponse
  if (answer.status !== 200) return toResponse(renumbered(answer, requestId))
  return HttpServerResponse.text(answer.body, {
    contentType: "text/event-stream; charset=utf-8",
    headers: { ...answer.headers, "cache-control": "no-cache, no-transform" }
  })
})
