import { Effect } from "effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import { Callers } from "./Callers.ts"

/** Ends when the key with which a request came opens nothing any more. */
export const revoked = (request: Pick<HttpServerRequest, "headers">): Effect.Effect<void, never, Callers> =>
  Effect.flatMap(Callers, (callers) => callers.revoked(request.headers))
