import type { SessionId } from "@troupe/domain/Ids"
import { utf8Length } from "@troupe/domain/CanonicalJson"
import { Limits } from "@troupe/domain/Limits"
import type { Sha256 } from "@troupe/domain/log/Chain"
import * as CommandBody from "@troupe/domain/session/CommandBody"
import { isClientCommand, type Command } from "@troupe/domain/session/SessionCommand"
import { traceparent } from "@troupe/domain/telemetry/Tracing"
import { foldVersion } from "@troupe/domain/session/SessionState"
import { Clock, Deferred, Effect, Exit, Queue, type Scope } from "effect"
import { EventStore } from "../log/EventStore.ts"
import { Minting } from "../log/Minting.ts"
import type { Activation } from "./activate.ts"
import * as BatchWriter from "./BatchWriter.ts"
import { CrashPoints } from "./CrashPoints.ts"
import { Feeds } from "./Feeds.ts"
import * as Ownership from "./Ownership.ts"
import type { Accepted } from "./planBatch.ts"
import type { TurnSpans } from "./TurnSpans.ts"
import { CommandTooLarge, Overloaded, SessionMoved, SessionUnavailable, type SessionError } from "./SessionErrors.ts"

/** Somebody who wants to see the session. */
interface Look {
  /** Whether to ask the store if this activation still stands, before trusting it. */
  readonly check: boolean
  readonly answer: Deferred.Deferred<Activation, SessionError>
}

type Mail = BatchWriter.Waiting | Look

const isCommand = (mail: Mail): mail is BatchWriter.Waiting => "command" in mail

export interface SessionActorOptions {
  readonly sessionId: SessionId
  /** The cluster's shard, kept with the session so that its node finds it when it is due. */
  readonly shard: number
  readonly sha256: Sha256
  /** Learns by whose request turns go on. */
  readonly spans?: TurnSpans
  /** Called with what is committed, after each commit and activation: the place for everything that leaves. */
  readonly react: (activation: Activation) => void
  /** Somebody newer owns the session: nothing may leave any more. */
  readonly stop: () => void
  readonly commandBytesMax?: number
  readonly mailboxMax?: number
}

export interface SessionActor {
  /** Enqueues a command and waits for its committed outcome. Who stops waiting changes nothing. */
  readonly handle: (command: Command) => Effect.Effect<Accepted, SessionError>
  /** What the session folds to now: loads it if need be. */
  readonly current: Effect.Effect<Activation, SessionError>
  /**
   * The same, after asking the store whether the session is still ours, and reacts again. An owner that was overtaken by
   * a zombie that took an epoch and died would otherwise wait for ever for what the zombie began.
   */
  readonly wake: Effect.Effect<Activation, SessionError>
  /** Whether it is loaded, and nobody newer was seen. */
  readonly isActive: () => boolean
  /** Somebody newer was seen: drops the activation, and stops what works for it. */
  readonly overtaken: () => void
}

const snapshotEvery = 500

/**
 * One session: a mailbox, and a consumer that takes what waits, decides it in order, appends it in one statement, and
 * only then answers, publishes and reacts.
 */
export const make = Effect.fnUntraced(function* (
  options: SessionActorOptions
): Effect.fn.Return<SessionActor, never, EventStore | Minting | Feeds | Scope.Scope> {
  const store = yield* EventStore
  const minting = yield* Minting
  const feeds = yield* Feeds
  const clock = yield* Clock.Clock
  const { reach } = yield* CrashPoints
  const { react, sessionId, sha256, shard } = options
  const commandBytesMax = options.commandBytesMax ?? Limits.commandBytesMax
  const mailboxMax = options.mailboxMax ?? Limits.mailboxMax

  const mailbox = yield* Queue.unbounded<Mail>()
  let waiting = 0
  let closed = false

  const ownership = Ownership.make({ store, sessionId, activated: react, lost: options.stop })
  const { write } = BatchWriter.make({
    store,
    minting,
    clock,
    sessionId,
    shard,
    sha256,
    ownership,
    spans: options.spans ?? null,
    reach,
    committed: ({ events }, activation) => {
      ownership.become(activation)
      reach("append.committed")
      if (events.length > 0) feeds.publish(sessionId, { _tag: "Events", events })
      // Whoever is answered may go on at once, and must find the reactor knowing what they know.
      react(activation)
      // The state still holds content that is gone from the log: it is folded anew.
      if (events.some((event) => event.type === "RedactionApplied")) ownership.refold()
      reach("append.published")
    }
  })

  const unavailable = () => new SessionUnavailable({ sessionId, retryAfterMs: BatchWriter.retryAfterMs })
  const moved = () => new SessionMoved({ sessionId })

  const post = <A>(mail: Mail & { readonly answer: Deferred.Deferred<A, SessionError> }) =>
    !closed && Queue.offerUnsafe(mailbox, mail) ? Deferred.await(mail.answer) : Effect.fail(moved())

  const look = (check: boolean) => Effect.suspend(() => post<Activation>({ check, answer: Deferred.makeUnsafe() }))

  const saveSnapshot = Effect.suspend(() => {
    const now = ownership.folded()
    if (now === null || now.state._tag !== "Open" || now.version === now.snapshotVersion) return Effect.void
    const { state, version } = now
    return store.saveSnapshot({ streamId: sessionId, foldVersion, version, state: JSON.stringify(state) }).pipe(
      Effect.tap(() => Effect.sync(() => ownership.snapshotted(version))),
      Effect.ignore
    )
  })

  const writeAll = (commands: ReadonlyArray<BatchWriter.Waiting>) =>
    write(commands).pipe(
      Effect.catchCause((cause) =>
        Effect.logError("A batch of commands broke the session's actor", cause).pipe(
          Effect.andThen(
            Effect.sync(() => {
              ownership.refold()
              for (const one of commands) Deferred.doneUnsafe(one.answer, Exit.fail(unavailable()))
            })
          )
        )
      )
    )

  const show = Effect.fnUntraced(function* ({ answer, check }: Look) {
    const known = ownership.active()
    const exit = yield* Effect.exit(
      check ? Effect.andThen(ownership.check, ownership.ensure(true)) : ownership.ensure(true)
    )
    if (check && Exit.isSuccess(exit) && exit.value === known) react(exit.value)
    Deferred.doneUnsafe(
      answer,
      Exit.mapError(exit, (error) => (error._tag === "StoreUnavailable" ? unavailable() : error))
    )
  })

  const handleTaken = Effect.fnUntraced(function* (taken: ReadonlyArray<Mail>) {
    reach("command.taken")
    const commands = taken.filter(isCommand)
    waiting -= commands.length
    if (commands.length > 0) yield* writeAll(commands)
    for (const one of taken) if (!isCommand(one)) yield* show(one)
    const folded = ownership.folded()
    if (folded !== null && folded.version - folded.snapshotVersion >= snapshotEvery) yield* saveSnapshot
  })

  // Waiting for mail can be interrupted; what has been taken is finished.
  const consume = Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(restore(Queue.takeBetween(mailbox, 1, Limits.commandsPerAppendMax)), handleTaken)
  ).pipe(Effect.forever)

  // Finalizers run last first: the consumer ends, the snapshot is written, and what still waits is sent elsewhere.
  yield* Effect.addFinalizer(() =>
    Effect.gen(function* () {
      closed = true
      for (const one of yield* Queue.clear(mailbox))
        Deferred.doneUnsafe<never, SessionError>(one.answer as never, Exit.fail(moved()))
      yield* saveSnapshot
    })
  )
  yield* Effect.forkScoped(consume)

  return {
    handle: (command) =>
      Effect.flatMap(traceparent, (span): Effect.Effect<Accepted, SessionError> => {
        const client = isClientCommand(command.body._tag)
        if (client && waiting >= mailboxMax) {
          return Effect.fail(new Overloaded({ sessionId, retryAfterMs: BatchWriter.retryAfterMs }))
        }
        let digest: string | null = null
        if (client) {
          const text = CommandBody.text(command)
          const bytes = utf8Length(text)
          if (bytes > commandBytesMax) return Effect.fail(new CommandTooLarge({ bytes, bytesMax: commandBytesMax }))
          digest = sha256(text)
        }
        waiting++
        return post<Accepted>({
          command,
          digest,
          traceparent: span,
          losses: ownership.losses(),
          answer: Deferred.makeUnsafe()
        })
      }),
    current: Effect.suspend(() => {
      const active = ownership.active()
      return active === null ? look(false) : Effect.succeed(active)
    }),
    wake: look(true),
    isActive: () => ownership.active() !== null,
    overtaken: ownership.lose
  }
})
