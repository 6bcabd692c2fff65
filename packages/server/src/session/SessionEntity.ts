import { SessionId } from "@troupe/domain/Ids"
import { Command, CommandRejected } from "@troupe/domain/session/SessionCommand"
import { SessionState } from "@troupe/domain/session/SessionState"
import type { Sha256 } from "@troupe/domain/log/Chain"
import { Clock, Effect, Latch, Schema } from "effect"
import * as ClusterSchema from "effect/cluster/ClusterSchema"
import * as Entity from "effect/cluster/Entity"
import * as Sharding from "effect/cluster/Sharding"
import * as Rpc from "effect/rpc/Rpc"
import { CommandBytesMax } from "./CommandBytesMax.ts"
import { LiveSessions } from "./LiveSessions.ts"
import * as Reactor from "./Reactor.ts"
import * as SessionActor from "./SessionActor.ts"
import {
  CommandBroken,
  CommandIdReused,
  CommandTooLarge,
  CommandUnstorable,
  EventNotReadableYet,
  Overloaded,
  ReceiptUnreadable,
  SessionMoved,
  SessionUnavailable,
  SessionUnreadable
} from "./SessionErrors.ts"
import { TurnSpans } from "./TurnSpans.ts"

const error = Schema.Union([
  CommandRejected,
  CommandIdReused,
  ReceiptUnreadable,
  CommandTooLarge,
  CommandUnstorable,
  CommandBroken,
  EventNotReadableYet,
  Overloaded,
  SessionMoved,
  SessionUnavailable,
  SessionUnreadable
])

const Handle = Rpc.make("Handle", {
  payload: { command: Command },
  success: Schema.TaggedStruct("Accepted", { seq: Schema.Int, version: Schema.Int }),
  error
})

/** Loads the session if need be, and lets its reactor see to what is due. */
const Wake = Rpc.make("Wake", { success: Schema.Int, error })

const Current = Rpc.make("Current", {
  success: Schema.Struct({ version: Schema.Int, epoch: Schema.Int, state: SessionState }),
  error
})

/** Stays open while something is live: an open call is what keeps an entity in memory. */
const Hold = Rpc.make("Hold").annotate(ClusterSchema.InterruptOnTermination, true)

/**
 * One session in the cluster. Messages are volatile: what is durable is the log, and a command that was lost on the way
 * is sent again under its id.
 */
export const SessionEntity = Entity.make("Session", [Handle, Wake, Current, Hold])

const holdAgainMs = 1_000

/** A call that breaks off holds nothing, so it is made again for as long as it is wanted. */
const hold = Effect.fnUntraced(function* (
  call: { readonly Hold: () => Effect.Effect<void, unknown> },
  released: Latch.Latch
) {
  while (!released.isOpen()) {
    yield* Effect.ignore(call.Hold())
    if (!released.isOpen()) yield* Effect.sleep(holdAgainMs)
  }
})

/**
 * The cluster puts away what it delivers nothing to, and does not see calls that go past it: after this part of the idle
 * time, the next call goes through the cluster. A session is put away that much earlier after its last command.
 */
const unseenPart = 1 / 6

export interface SessionEntityOptions {
  readonly sha256: Sha256
  readonly idleMs: number
  readonly lostAfterMs: number
}

export const layer = (options: SessionEntityOptions) =>
  SessionEntity.toLayer(
    Effect.gen(function* () {
      const address = yield* Entity.CurrentAddress
      const sessionId = SessionId.make(address.entityId)
      const client = yield* SessionEntity.client
      const sharding = yield* Sharding.Sharding
      const clock = yield* Clock.Clock
      const live = yield* LiveSessions
      const scope = yield* Effect.scope
      const context = yield* Effect.context<never>()
      /** Closed while something is live. Most sessions in memory rest from the beginning, and have none. */
      let released: Latch.Latch | null = null

      const keep = (wanted: boolean) => {
        if (!wanted) released?.openUnsafe()
        if (!wanted || released?.isOpen() === false) return
        released ??= Latch.makeUnsafe()
        released.closeUnsafe()
        Effect.runForkWith(context)(Effect.forkIn(hold(client(sessionId), released), scope))
      }

      let reactor: Reactor.Reactor | null = null
      const spans = new TurnSpans()
      const actor = yield* SessionActor.make({
        sessionId,
        shard: address.shardId.id,
        sha256: options.sha256,
        spans,
        react: (activation) => reactor?.reconcile(activation),
        follow: (standing, from, facts) => reactor?.startAtOnce(standing, from, facts) ?? [],
        stop: () => reactor?.stop(),
        commandBytesMax: yield* CommandBytesMax
      })
      reactor = yield* Reactor.make({
        sessionId,
        handle: (command) => actor.handle(command),
        traceparentOf: (turnId) => spans.of(turnId),
        overtaken: () => actor.overtaken(),
        keep,
        lostAfterMs: options.lostAfterMs
      })
      yield* Effect.addFinalizer(() => Effect.sync(() => released?.openUnsafe()))

      let seenAt = 0
      const seen = <A, E>(call: Effect.Effect<A, E>) => {
        seenAt = clock.currentTimeMillisUnsafe()
        return call
      }
      // Entered last, so that it is the first to go: who is told that the session moved does not find it here again.
      yield* live.enter(sessionId, {
        handle: (command) => actor.handle(command),
        get current() {
          return actor.current
        },
        isOpen: () =>
          actor.isActive() &&
          clock.currentTimeMillisUnsafe() - seenAt < options.idleMs * unseenPart &&
          sharding.hasShardId(address.shardId)
      })

      return SessionEntity.of({
        Handle: ({ payload }) => seen(actor.handle(payload.command)),
        Wake: () => Effect.map(actor.wake, ({ version }) => version),
        Current: () => seen(Effect.map(actor.current, ({ epoch, state, version }) => ({ epoch, state, version }))),
        Hold: () => released?.await ?? Effect.void
      })
    }),
    {
      // Handlers only enqueue and wait, so order is the queue's; the bound is ours, since this one counts open streams too.
      concurrency: "unbounded",
      mailboxCapacity: "unbounded",
      // A defect answered is a command lost; a defect replayed is a session lost.
      disableFatalDefects: true,
      maxIdleTime: options.idleMs
    }
  )
