import { ApiFailure, forbidden } from "@troupe/domain/api/ApiError"
import { registerRunner } from "@troupe/domain/api/Workspace"
import { Effect, Redacted } from "effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { RateLimits } from "../access/RateLimits.ts"
import { RequestId } from "../gateway/Requests.ts"
import { openRoute } from "../gateway/Route.ts"
import { shownSecret } from "./ApiError.ts"
import { RunnerRegistry } from "./RunnerRegistry.ts"
import { Tokens } from "./Tokens.ts"

const bodyMax = 65_536

/** Said to both sides, by the number that the answer carries too. */
const noted = ({ message }: ApiFailure) =>
  Effect.flatMap(RequestId, (requestId) =>
    Effect.logWarning("A runner was not let in").pipe(Effect.annotateLogs({ requestId, reason: message }))
  )

const tokenOf = Effect.fnUntraced(function* ({ headers }: HttpServerRequest) {
  const tokens = yield* Tokens
  const token = yield* tokens.authenticate("runner_registration", shownSecret(headers)).pipe(
    Effect.catchTags({
      TokenRefused: ({ message }) => Effect.fail(new ApiFailure({ type: "authentication_error", message })),
      WrongTokenKind: ({ message }) => Effect.fail(forbidden(message))
    }),
    Effect.tapError((error) => (error._tag === "ApiFailure" ? noted(error) : Effect.void))
  )
  yield* (yield* RateLimits).request(token.tokenId)
  return token
})

/** Where a registration token is exchanged for an identity. */
export const routes = openRoute(
  registerRunner,
  ({ payload }, request) =>
    Effect.gen(function* () {
      const token = yield* tokenOf(request)
      const { labels = [], name } = yield* payload
      const { credential, runner } = yield* (yield* RunnerRegistry).enrol(token, { name, labels })
      const { runnerId, workspaceId } = runner
      yield* Effect.logInfo("A runner registered").pipe(Effect.annotateLogs({ runnerId, workspaceId, name }))
      return HttpServerResponse.jsonUnsafe({
        runner_id: runnerId,
        workspace_id: workspaceId,
        credential: Redacted.value(credential)
      })
    }),
  { bodyMax }
)
