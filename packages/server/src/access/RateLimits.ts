import { ApiFailure } from "@troupe/domain/api/ApiError"
import type { TokenId } from "@troupe/domain/Ids"
import { Clock, Context, Duration, Effect, Layer } from "effect"
import * as RateLimiter from "effect/persistence/RateLimiter"
import type * as SqlClient from "effect/sql/SqlClient"
import * as RateLimitStore from "./RateLimitStore.ts"

export interface RateLimitOptions {
  /** Requests that one token may send in a minute, to all nodes together. Zero: as many as it likes. */
  readonly perMinute: number
}

/** Logins that may be tried from one address in a minute. */
const loginsPerMinute = 20

const tooMany = (message: string, retryAfter: Duration.Duration) =>
  new ApiFailure({
    type: "rate_limit_error",
    message,
    retryAfterMs: Math.max(1, Math.ceil(Duration.toMillis(retryAfter)))
  })

/** How often those who ask may ask. */
export class RateLimits extends Context.Service<
  RateLimits,
  {
    readonly request: (tokenId: TokenId) => Effect.Effect<void, ApiFailure>
    /** Counted before anything is looked up, so that guessing is as slow as this. */
    readonly login: (address: string) => Effect.Effect<void, ApiFailure>
  }
>()("server/RateLimits") {
  static readonly layer = (options: RateLimitOptions): Layer.Layer<RateLimits, never, SqlClient.SqlClient> =>
    Layer.effect(RateLimits, make(options)).pipe(
      Layer.provide(RateLimiter.layer.pipe(Layer.provideMerge(RateLimitStore.layer)))
    )
}

const make = Effect.fnUntraced(function* ({ perMinute }: RateLimitOptions) {
  const limiter = yield* RateLimiter.RateLimiter
  const { takeOne } = yield* RateLimitStore.Portions
  const clock = yield* Clock.Clock

  const consume = (key: string, limit: number, message: string) =>
    limiter.consume({ key, limit, window: "1 minute" }).pipe(
      Effect.catch(({ reason }) =>
        reason._tag === "RateLimitExceeded"
          ? Effect.fail(tooMany(message, reason.retryAfter))
          : // Whoever can't count lets pass: what needs the database fails by itself.
            Effect.logWarning("Requests are not counted", reason)
      ),
      Effect.asVoid
    )

  return RateLimits.of({
    request: (tokenId) =>
      Effect.suspend(() =>
        perMinute === 0 || takeOne(tokenId, clock.currentTimeMillisUnsafe())
          ? Effect.void
          : consume(tokenId, perMinute, `This token may send ${perMinute} requests a minute; wait a moment`)
      ),
    login: (address) => consume(`login ${address}`, loginsPerMinute, "Too many logins from this address; wait a moment")
  })
})
