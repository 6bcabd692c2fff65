import { Effect, Option } from "effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import { RequestId } from "../gateway/Requests.ts"
import { Assignments } from "./Assignments.ts"
import { authenticatedRunner } from "./RunnerAuth.ts"
import { Tickets } from "./Tickets.ts"

/**
 * What a request may reach: the workspace of its runner, and the session that was assigned to that runner by the ticket, and
 * that no other runner has had since.
 */
export const admitted = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  const tickets = yield* Tickets
  const assignments = yield* Assignments
  const { runnerId, workspaceId } = yield* authenticatedRunner
  const session = tickets.check({ runnerId, workspaceId }, request.headers["x-troupe-ticket"] ?? "")
  if (Option.isSome(session) && (yield* assignments.isWith(session.value, runnerId))) {
    return Option.some({ workspaceId, sessionId: session.value })
  }
  yield* Effect.logWarning("A runner was refused what is not of its sessions").pipe(
    Effect.annotateLogs({ requestId: yield* RequestId, runnerId, sessionId: Option.getOrNull(session) })
  )
  return Option.none()
})
