import { ApiFailure, invalid } from "@troupe/domain/api/ApiError"
import * as Events from "@troupe/domain/api/Events"
import type { SessionId } from "@troupe/domain/Ids"
import { Cause, Deferred, Effect, Pull, Schema, Stream } from "effect"
import type { Headers } from "effect/http/Headers"
import type { ServerClient } from "effect/rpc/Rpc"
import { deltaOut, jsonView, liveWithinMs, wantedOf } from "../events/streams.ts"
import { subscriptionsMax } from "../feed/FeedSubscription.ts"
import { revoked } from "../gateway/revoked.ts"
import { Watchers } from "../session/Watchers.ts"
import type { Seen } from "../session/WatchHub.ts"
import { busy } from "../sessions/SessionCalls.ts"
import { SessionReads } from "../sessions/SessionReads.ts"
import { admitted, settled } from "./calling.ts"

/** Which socket a call came by, and what that was opened with. */
interface From {
  readonly client: ServerClient
  readonly headers: Headers
}

interface Payload {
  readonly id: SessionId
  readonly after: number
  readonly types?: ReadonlyArray<string>
  readonly deltas?: boolean
}

/** What goes out in one message: the next one waits for its acknowledgement. */
const charsAtOnce = 262_144

const isPlace = Schema.is(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2_147_483_647 })))

const tooSlow = new ApiFailure({
  type: "overloaded_error",
  message: "The reader took nothing for too long",
  retryAfterMs: 1_000
})
const noMore = new ApiFailure({ type: "authentication_error", message: "The API key opens nothing any more" })
const tooMany = new ApiFailure({
  type: "rate_limit_error",
  code: "too_many_subscriptions",
  message: `This socket follows ${subscriptionsMax} sessions, and takes no more; open another one`,
  final: true
})

/** How many logs each socket follows. */
const followed = new WeakMap<ServerClient, number>()

/** A place among the logs that one socket may follow, for as long as the scope is open. */
const subscribed = (client: ServerClient) =>
  Effect.acquireRelease(
    Effect.suspend(() => {
      const count = followed.get(client) ?? 0
      if (count >= subscriptionsMax) return Effect.fail(tooMany)
      followed.set(client, count + 1)
      return Effect.void
    }),
    () => Effect.sync(() => followed.set(client, followed.get(client)! - 1))
  )

/** What is shown of what was seen, and whether nothing can come after it. */
const shown = ({ deltas, types }: Payload) => {
  const wanted = wantedOf(types)
  return (some: ReadonlyArray<Seen>) => {
    const texts: Array<string> = []
    let last = false
    for (const seen of some) {
      if (seen._tag === "Delta") {
        if (deltas === true && seen.delta.kind === undefined)
          texts.push(JSON.stringify({ type: "delta", ...deltaOut(seen.delta) }))
        continue
      }
      for (const seat of seen.events) {
        if (wanted(seat.event)) texts.push(seat.as(jsonView))
        last ||= seat.event.type === "SessionDeleted"
      }
    }
    return { texts, last }
  }
}

/** As many of them as go out at once: at least one. */
const portion = (texts: Array<string>) => {
  let chars = 0
  let count = 0
  while (count < texts.length && (count === 0 || chars + texts[count]!.length <= charsAtOnce)) {
    chars += texts[count]!.length
    count++
  }
  return texts.splice(0, count) as [string, ...Array<string>]
}

const open = Effect.fnUntraced(function* (payload: Payload, { client, headers }: From) {
  const caller = yield* admitted({ endpoint: Events.logStream, scope: "read", headers, payload })
  yield* subscribed(client)
  if (!isPlace(payload.after)) return yield* invalid("after: takes the sequence number of an event")
  const reads = yield* SessionReads
  const { session } = yield* reads.find(caller.workspaceId, payload.id)
  const watchers = yield* Watchers
  const reader = yield* watchers.open(session.id, payload.after)
  if (payload.deltas === true) yield* Effect.timeoutOption(reader.live, liveWithinMs)
  const refused = yield* Deferred.make<never, ApiFailure>()
  yield* Effect.forkScoped(Effect.andThen(revoked({ headers }), Deferred.fail(refused, noMore)))

  const next = Effect.raceFirst(Effect.raceFirst(reader.take, reader.cut), Deferred.await(refused)).pipe(
    // The log has no end but that of its session.
    Pull.catchDone(() => Effect.fail(busy(500, "The node stops"))),
    Effect.catchTags({
      SlowReader: () => Effect.fail(tooSlow),
      StoreUnavailable: () => Effect.fail(busy(1_000, "The log can't be read right now"))
    })
  )
  return { next, show: shown(payload) }
})

/** The log of a session from a place on, as the JSON of its events. */
export const followLog = (payload: Payload, from: From) =>
  Stream.unwrap(
    Effect.map(settled(open(payload, from)), ({ next, show }) => {
      const waiting: Array<string> = []
      let isOver = false
      const pull = Effect.gen(function* () {
        while (waiting.length === 0) {
          if (isOver) return yield* Cause.done()
          const { last, texts } = show(yield* next)
          waiting.push(...texts)
          isOver = last
        }
        return portion(waiting)
      })
      return Stream.fromPull(Effect.succeed(pull))
    })
  )
