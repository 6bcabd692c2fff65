import { Effect, Option } from "effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import { apiError, type ApiErrorType, shownSecret } from "./ApiError.ts"
import { RunnerRegistry } from "./RunnerRegistry.ts"
import { TokenRefused, Tokens } from "./Tokens.ts"

/** The runner whose credential a request shows. */
export const authenticatedRunner = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  const tokens = yield* Tokens
  const registry = yield* RunnerRegistry
  const token = yield* tokens.authenticate("runner", shownSecret(request.headers))
  const runner = yield* registry.ofToken(token)
  return Option.isSome(runner) ? runner.value : yield* new TokenRefused({ reason: "unknown" })
})

/** Said to both sides, by the number that the answer carries too. */
const refuse = (type: ApiErrorType, message: string) =>
  Effect.tap(apiError(type, message), ({ headers }) =>
    Effect.logWarning("A runner was not let in").pipe(
      Effect.annotateLogs({ requestId: headers["request-id"], reason: message })
    )
  )

/** Answers whoever was not let in, and hides what went wrong inside. */
export const refusing = <A, E extends { readonly _tag: string; readonly message: string }, R>(
  effect: Effect.Effect<A, E, R>
) =>
  Effect.catch(effect, (error) => {
    if (error._tag === "TokenRefused") return refuse("authentication_error", error.message)
    if (error._tag === "WrongTokenKind") return refuse("permission_error", error.message)
    return Effect.andThen(
      Effect.logError("A request of a runner broke", error),
      apiError("api_error", "The request could not be answered; try again")
    )
  })
