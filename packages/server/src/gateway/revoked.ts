import { Effect } from "effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import { Callers } from "./Callers.ts"

/** How long a stream may outlive the key that it was opened with. */
const checkKeyEveryMs = 3_000

/** Ends when the key with which a request came opens nothing any more. */
export const revoked = Effect.fnUntraced(function* (request: Pick<HttpServerRequest, "headers">) {
  const { identify } = yield* Callers
  while (true) {
    yield* Effect.sleep(checkKeyEveryMs)
    // A database that does not answer now is no reason to end a stream.
    const refused = yield* identify(request.headers).pipe(
      Effect.as(false),
      Effect.catchTags({ ApiFailure: () => Effect.succeed(true), SqlError: () => Effect.succeed(false) })
    )
    if (refused) return
  }
})
