import { Clock, Context, Duration, Effect, Layer, Semaphore } from "effect"
import * as RateLimiter from "effect/persistence/RateLimiter"
import * as SqlClient from "effect/sql/SqlClient"

/** A node takes this part of a limit at once: so many requests cost one statement, and so much may go unused. */
const portions = 50
const keysMax = 10_000

interface Lease {
  readonly gate: Semaphore.Semaphore
  /** By this node's clock. */
  endsAt: number
  granted: number
  used: number
  /** The window has no more to give. */
  spent: boolean
}

const fresh = { endsAt: 0, granted: 0, used: 0, spent: false }

/** What of a portion is still within the limit. */
export const grantOf = (limit: number, portion: number, taken: number): number =>
  Math.max(0, Math.min(portion, limit - (taken - portion)))

/** What this node has left of the windows it counts in. */
export class Portions extends Context.Service<
  Portions,
  {
    /** Counts one in a window, where enough of the node's portion is left: then there is nobody to ask. */
    readonly takeOne: (key: string, now: number) => boolean
  }
>()("server/RateLimitPortions") {}

/**
 * Windows that all nodes count in together: each takes portions of them from the database and counts these by itself. The
 * limiter's other algorithms count on each node alone.
 */
export const layer: Layer.Layer<RateLimiter.RateLimiterStore | Portions, never, SqlClient.SqlClient> =
  Layer.effectContext(
    Effect.gen(function* () {
      const alone = yield* RateLimiter.RateLimiterStore
      const sql = yield* SqlClient.SqlClient
      const leases = new Map<string, Lease>()

      const takeOne = (key: string, now: number): boolean => {
        const lease = leases.get(key)
        if (lease === undefined || now >= lease.endsAt || lease.granted <= lease.used) return false
        lease.used++
        return true
      }

      const leaseOf = (key: string): Lease => {
        const known = leases.get(key)
        if (known !== undefined) return known
        if (leases.size >= keysMax) leases.clear()
        const lease: Lease = { gate: Semaphore.makeUnsafe(1), ...fresh }
        leases.set(key, lease)
        return lease
      }

      const take = (key: string, portion: number, windowMs: number) =>
        sql<{ readonly taken: number; readonly leftMs: number }>`
        INSERT INTO rate_limits AS r (key, ends_at, taken)
        VALUES (${key}, now() + ${windowMs}::float8 * interval '1 millisecond', ${portion})
        ON CONFLICT (key) DO UPDATE SET
          taken = CASE WHEN r.ends_at <= now() THEN excluded.taken ELSE r.taken + excluded.taken END,
          ends_at = CASE WHEN r.ends_at <= now() THEN excluded.ends_at ELSE r.ends_at END
        RETURNING taken::float8 AS taken, (extract(epoch FROM ends_at - now()) * 1000)::float8 AS "leftMs"`

      const fixedWindow: RateLimiter.RateLimiterStore["Service"]["fixedWindow"] = ({
        key,
        limit,
        refillRate,
        tokens
      }) => {
        if (limit === undefined) return alone.fixedWindow({ key, limit, refillRate, tokens })
        const lease = leaseOf(key)
        const portion = Math.max(tokens, Math.floor(limit / portions))
        return Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          if (now >= lease.endsAt) Object.assign(lease, fresh)
          if (!lease.spent && lease.granted - lease.used < tokens) {
            const [row] = yield* take(key, portion, Duration.toMillis(refillRate) * limit)
            const { leftMs, taken } = row!
            const grant = grantOf(limit, portion, taken)
            lease.endsAt = now + Math.max(1, leftMs)
            lease.granted += grant
            lease.spent = grant < portion
          }
          const ttl = lease.endsAt - now
          if (lease.granted - lease.used < tokens) return [limit + tokens, ttl] as const
          lease.used += tokens
          return [Math.min(limit, lease.used), ttl] as const
        }).pipe(
          lease.gate.withPermits(1),
          Effect.mapError(
            (cause) =>
              new RateLimiter.RateLimiterError({
                reason: new RateLimiter.RateLimitStoreError({ message: "The counts can't be reached", cause })
              })
          )
        )
      }

      return Context.make(Portions, { takeOne }).pipe(
        Context.add(RateLimiter.RateLimiterStore, { ...alone, fixedWindow })
      )
    })
  ).pipe(Layer.provide(RateLimiter.layerStoreMemory))
