import { Effect, Option } from "effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import { authenticatedRunner } from "./RunnerAuth.ts"
import { Tickets } from "./Tickets.ts"

/** What a request may reach: the workspace of its runner, and the session that was assigned to that runner by the ticket. */
export const admitted = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  const tickets = yield* Tickets
  const runner = yield* authenticatedRunner
  const session = tickets.check(runner, request.headers["x-troupe-ticket"] ?? "")
  return Option.map(session, (sessionId) => ({ workspaceId: runner.workspaceId, sessionId }))
})
