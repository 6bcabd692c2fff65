import { Context, Effect, Exit, Metric } from "effect"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"

const everywhere = Context.empty()

const secondsUpTo = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** Counts a route's requests by their status and times them, each series from its first request on. */
export const measured = (method: string, route: string) => {
  const took = Metric.histogram("troupe_http_request_duration_seconds", {
    description: "How long requests took until they were answered; a stream that is followed, until it began",
    boundaries: secondsUpTo,
    attributes: { method, route }
  })
  const counted = new Map<number, Metric.Metric<number, unknown>>()
  const counterOf = (status: number) => {
    const known = counted.get(status)
    if (known !== undefined) return known
    const made = Metric.counter("troupe_http_requests_total", {
      description: "Requests by route and by the status they were answered with",
      incremental: true,
      attributes: { method, route, status: String(status) }
    })
    counted.set(status, made)
    return made
  }
  return <E, R>(
    answer: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
  ): Effect.Effect<HttpServerResponse.HttpServerResponse, E, R> =>
    Effect.suspend(() => {
      const began = performance.now()
      return Effect.onExit(answer, (exit) =>
        Effect.sync(() => {
          // What breaks is answered by the door.
          counterOf(Exit.isSuccess(exit) ? exit.value.status : 500).updateUnsafe(1, everywhere)
          took.updateUnsafe((performance.now() - began) / 1_000, everywhere)
        })
      )
    })
}
