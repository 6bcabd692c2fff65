import { FeedRequest } from "@troupe/domain/api/Feed"
import type { SessionId } from "@troupe/domain/Ids"
import { Cause, Effect, Fiber, Option, Schema, Semaphore } from "effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Socket from "effect/socket/Socket"
import { Bounds } from "../access/Bounds.ts"
import { listening } from "../gateway/listening.ts"
import type { Caller } from "../gateway/Requests.ts"
import { revoked } from "../gateway/revoked.ts"
import { upgrading } from "../gateway/upgrading.ts"
import { follow, subscriptionsMax } from "./FeedSubscription.ts"
import { FeedWindow } from "./FeedWindow.ts"

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(FeedRequest))
const messageCharsMax = 16_384
/** How long a client may leave a full window as it is. */
const slowAfterMs = 30_000
const pingEveryMs = 15_000

const closes = {
  garbage: new Socket.CloseEvent(4400, "what came is no message of this protocol"),
  revoked: new Socket.CloseEvent(4401, "the key opens nothing any more"),
  slow: new Socket.CloseEvent(4408, "what was sent was not acknowledged in time"),
  stops: new Socket.CloseEvent(1012, "the node stops")
}

type Subscribe = Extract<FeedRequest, { readonly type: "subscribe" }>
type Reason = "deleted" | "not_found" | "too_many" | "slow" | "unavailable"

/** The logs of many sessions over one WebSocket. What ends one of them leaves the others alone. */
export const feedSocket = Effect.fnUntraced(function* (caller: Caller["Service"], request: HttpServerRequest) {
  const bounds = yield* Bounds
  const socket = yield* upgrading(request)
  const writer = yield* socket.writer
  const reader = yield* Effect.orDie(socket.reader)
  // However it ends: a socket that was closed before is not closed again.
  yield* Effect.addFinalizer(() => Effect.ignore(Effect.timeout(writer.write(closes.stops), 1_000)))
  const window = new FeedWindow()
  const one = Semaphore.makeUnsafe(1)
  const running = new Map<SessionId, Fiber.Fiber<void>>()
  const scope = yield* Effect.scope

  /** Waits for room first: whoever is slow is not written to, and only the sessions' own logs are behind then. */
  const send = (rest: string) =>
    one.withPermits(1)(
      Effect.andThen(
        window.hasRoom,
        Effect.suspend(() => Effect.ignore(writer.write(`{"n":${window.next(rest.length)},${rest}`)))
      )
    )
  const tell = (message: object) => send(JSON.stringify(message).slice(1))
  /** Subscriptions that are over, which the other side is not told yet. */
  let over = 0
  const ended = (session_id: SessionId, reason: Reason) =>
    Effect.suspend(() => {
      over++
      return Effect.ensuring(
        tell({ type: "ended", session_id, reason }),
        Effect.sync(() => over--)
      )
    })

  const reasonOf = (cause: Cause.Cause<unknown>): Reason => {
    const error = Cause.findErrorOption(cause)
    const tag = Option.isSome(error) ? (error.value as { readonly _tag?: string })._tag : undefined
    return tag === "ApiFailure" ? "not_found" : tag === "SlowReader" ? "slow" : "unavailable"
  }

  const subscription = (wanted: Subscribe) =>
    Effect.gen(function* () {
      yield* bounds.session(caller, wanted.session_id)
      yield* tell({ type: "subscribed", session_id: wanted.session_id, after: wanted.after ?? 0 })
      return yield* follow(wanted, send)
    }).pipe(
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause) ? Effect.failCause(cause as Cause.Cause<never>) : Effect.succeed(reasonOf(cause))
      ),
      Effect.tap(() => Effect.sync(() => running.delete(wanted.session_id))),
      Effect.flatMap((reason) => ended(wanted.session_id, reason))
    )

  const unsubscribe = (sessionId: SessionId) =>
    Effect.suspend(() => {
      const fiber = running.get(sessionId)
      running.delete(sessionId)
      return fiber === undefined ? Effect.void : Fiber.interrupt(fiber)
    })

  const take = Effect.fnUntraced(function* (message: Uint8Array | string) {
    if (typeof message !== "string" || message.length > messageCharsMax) return closes.garbage
    const asked = decode(message)
    if (Option.isNone(asked)) return closes.garbage
    const { value } = asked
    if (value.type === "ack") return window.acknowledge(value.n) ? null : closes.garbage
    yield* unsubscribe(value.session_id)
    if (value.type === "unsubscribe") return null
    if (over >= subscriptionsMax) return closes.slow
    if (running.size >= subscriptionsMax) yield* Effect.forkIn(ended(value.session_id, "too_many"), scope)
    else running.set(value.session_id, yield* Effect.forkIn(subscription(value), scope))
    return null
  })

  const cutIfSlow = Effect.gen(function* () {
    while (true) {
      yield* Effect.sleep(1_000)
      const room = yield* Effect.timeoutOption(window.hasRoom, slowAfterMs)
      if (Option.isNone(room)) return closes.slow
    }
  })

  const pings = Effect.forever(Effect.andThen(Effect.sleep(pingEveryMs), tell({ type: "ping" })))

  yield* Effect.raceFirst(listening(reader, take), cutIfSlow).pipe(
    Effect.raceFirst(pings),
    Effect.raceFirst(Effect.as(revoked(request), closes.revoked)),
    Effect.catch(() => Effect.succeed(closes.stops)),
    Effect.flatMap((closing) => Effect.ignore(writer.write(closing)))
  )
  return HttpServerResponse.empty()
}, Effect.scoped)
