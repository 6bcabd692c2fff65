import type { SessionId } from "@troupe/domain/Ids"
import { utf8Length } from "@troupe/domain/CanonicalJson"
import { Limits } from "@troupe/domain/Limits"
import type { Sha256 } from "@troupe/domain/log/Chain"
import type { SessionCodec as Codec } from "@troupe/domain/session/Codec"
import * as CommandBody from "@troupe/domain/session/CommandBody"
import { isClientCommand, type Command } from "@troupe/domain/session/SessionCommand"
import { traceparent } from "@troupe/domain/telemetry/Tracing"
import { foldVersion } from "@troupe/domain/session/SessionState"
import * as Snapshot from "@troupe/domain/session/Snapshot"
import { Clock, type Context, Deferred, Effect, Exit, type Scope } from "effect"
import { EventStore } from "../log/EventStore.ts"
import { LogFormat, type LogFormatNow } from "../log/LogFormat.ts"
import { Minting } from "../log/Minting.ts"
import { RecentEvents, type Recents } from "../log/RecentEvents.ts"
import type { Activation } from "./activate.ts"
import { BatchWriter, type BatchWriterOptions, retryAfterMs, type Waiting } from "./BatchWriter.ts"
import { type CrashPoint, CrashPoints } from "./CrashPoints.ts"
import { Feeds } from "./Feeds.ts"
import { Mailbox } from "./Mailbox.ts"
import { OutputGate } from "./OutputGate.ts"
import { Ownership } from "./Ownership.ts"
import type { Accepted, Plan } from "./planBatch.ts"
import { SessionCodec } from "./SessionCodec.ts"
import type { TurnSpans } from "./TurnSpans.ts"
import { CommandTooLarge, Overloaded, SessionMoved, SessionUnavailable, type SessionError } from "./SessionErrors.ts"

/** Somebody who wants to see the session. */
interface Look {
  /** Whether to ask the store if this activation still stands, before trusting it. */
  readonly check: boolean
  readonly answer: Deferred.Deferred<Activation, SessionError>
}

type Mail = Waiting | Look

const isCommand = (mail: Mail): mail is Waiting => "command" in mail

export interface SessionActorOptions {
  readonly sessionId: SessionId
  /** The cluster's shard, kept with the session so that its node finds it when it is due. */
  readonly shard: number
  readonly sha256: Sha256
  /** Learns by whose request turns go on. */
  readonly spans?: TurnSpans
  /** Called with what is committed, after each commit and activation: the place for everything that leaves. */
  readonly react: (activation: Activation) => void
  /** Commands of our own that what is about to be committed makes due, to be in the log along with it. */
  readonly follow?: BatchWriterOptions["follow"]
  /** Somebody newer owns the session: nothing may leave any more. */
  readonly stop: () => void
  readonly commandBytesMax?: number
  readonly mailboxMax?: number
}

/** What actors of a node have in common. */
interface Services {
  readonly store: EventStore["Service"]
  readonly feeds: Feeds["Service"]
  readonly minting: Minting["Service"]
  readonly codec: Codec
  readonly logFormat: LogFormatNow
  readonly recent: Recents
  readonly clock: Clock.Clock
  readonly reach: (point: CrashPoint) => void
}

const snapshotEvery = 500

/**
 * One session: a mailbox, and a consumer that takes what waits, decides it in order, appends it in one statement, and
 * only then answers, publishes and reacts. What it has is in fields and not in closures, of which each would be held
 * once for every session in memory.
 */
export class SessionActor {
  private waiting = 0
  private readonly options: SessionActorOptions
  private readonly services: Services
  private readonly ownership: Ownership
  private readonly writer: BatchWriter
  private readonly mailbox: Mailbox<Mail>

  constructor(options: SessionActorOptions, services: Services, context: Context.Context<never>) {
    const { react, sessionId, sha256, shard } = options
    this.options = options
    this.services = services
    this.ownership = new Ownership({ ...services, sessionId, sha256, activated: react, lost: options.stop })
    this.writer = new BatchWriter({
      ...services,
      sessionId,
      shard,
      sha256,
      ownership: this.ownership,
      spans: options.spans ?? null,
      follow: options.follow ?? (() => []),
      committed: (plan, activation) => this.committed(plan, activation)
    })
    this.mailbox = new Mailbox(context, Limits.commandsPerAppendMax, (taken) => this.handleTaken(taken))
  }

  /** Enqueues a command and waits for its committed outcome. Who stops waiting changes nothing. */
  handle(command: Command): Effect.Effect<Accepted, SessionError> {
    return Effect.flatMap(traceparent, (span): Effect.Effect<Accepted, SessionError> => {
      const {
        commandBytesMax = Limits.commandBytesMax,
        mailboxMax = Limits.mailboxMax,
        sessionId,
        sha256
      } = this.options
      let digest: string | null = null
      if (isClientCommand(command.body._tag)) {
        if (this.waiting >= mailboxMax) return Effect.fail(new Overloaded({ sessionId, retryAfterMs }))
        const text = CommandBody.text(command)
        const bytes = utf8Length(text)
        if (bytes > commandBytesMax) return Effect.fail(new CommandTooLarge({ bytes, bytesMax: commandBytesMax }))
        digest = sha256(text)
      }
      this.waiting++
      const answer = Deferred.makeUnsafe<Accepted, SessionError>()
      return this.post({ command, digest, traceparent: span, losses: this.ownership.losses, answer })
    })
  }

  /** What the session folds to now: loads it if need be. */
  get current(): Effect.Effect<Activation, SessionError> {
    return Effect.suspend(() => {
      const { active } = this.ownership
      return active === null ? this.look(false) : Effect.succeed(active)
    })
  }

  /**
   * The same, after asking the store whether the session is still ours, and reacts again. An owner that was overtaken by
   * a zombie that took an epoch and died would otherwise wait for ever for what the zombie began.
   */
  get wake(): Effect.Effect<Activation, SessionError> {
    return Effect.suspend(() => this.look(true))
  }

  /** Whether it is loaded, and nobody newer was seen. */
  isActive(): boolean {
    return this.ownership.active !== null
  }

  /** Somebody newer was seen: drops the activation, and stops what works for it. */
  overtaken(): void {
    this.ownership.lose()
  }

  /** What was taken is finished, what still waits is sent elsewhere, and a snapshot is written. */
  end(): Effect.Effect<void> {
    return Effect.flatMap(this.mailbox.close(), (left) => {
      const moved = Exit.fail(this.moved())
      for (const one of left) Deferred.doneUnsafe<never, SessionError>(one.answer as never, moved)
      return this.saveSnapshot()
    })
  }

  private unavailable(): SessionUnavailable {
    return new SessionUnavailable({ sessionId: this.options.sessionId, retryAfterMs })
  }

  private moved(): SessionMoved {
    return new SessionMoved({ sessionId: this.options.sessionId })
  }

  private post<A>(mail: Mail & { readonly answer: Deferred.Deferred<A, SessionError> }) {
    return this.mailbox.offer(mail) ? Deferred.await(mail.answer) : Effect.fail(this.moved())
  }

  private look(check: boolean): Effect.Effect<Activation, SessionError> {
    return this.post<Activation>({ check, answer: Deferred.makeUnsafe() })
  }

  private committed({ events, facts }: Plan, activation: Activation): void {
    const { react, sessionId } = this.options
    const { feeds, reach, recent } = this.services
    this.ownership.become(activation)
    reach("append.committed")
    if (events.length > 0) {
      const written = events.map(({ payload, seq }, index) => ({ seq, event: facts[index]!, size: payload.length }))
      recent.note(sessionId, written)
    }
    if (events.length > 0) feeds.publish(sessionId, { _tag: "Events", events })
    // Whoever is answered may go on at once, and must find the reactor knowing what they know.
    react(activation)
    reach("append.published")
  }

  private handleTaken(taken: ReadonlyArray<Mail>): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      this.services.reach("command.taken")
      const commands = taken.filter(isCommand)
      this.waiting -= commands.length
      if (commands.length > 0) yield* this.writeAll(commands)
      for (const one of taken) if (!isCommand(one)) yield* this.show(one)
      const { folded } = this.ownership
      if (folded !== null && folded.version - folded.snapshotVersion >= snapshotEvery) yield* this.saveSnapshot()
    })
  }

  private writeAll(commands: ReadonlyArray<Waiting>): Effect.Effect<void> {
    return Effect.catchCause(this.writer.write(commands), (cause) => {
      this.ownership.refold()
      const broken = Exit.fail(this.unavailable())
      for (const one of commands) Deferred.doneUnsafe(one.answer, broken)
      return Effect.logError("A batch of commands broke the session's actor", cause)
    })
  }

  private show({ answer, check }: Look): Effect.Effect<void> {
    const { ownership } = this
    return Effect.gen({ self: this }, function* () {
      const known = ownership.active
      const exit = yield* Effect.exit(
        check ? Effect.andThen(ownership.check(), ownership.ensure(true)) : ownership.ensure(true)
      )
      if (check && Exit.isSuccess(exit) && exit.value === known) this.options.react(exit.value)
      const unavailable = () => this.unavailable()
      Deferred.doneUnsafe(
        answer,
        Exit.mapError(exit, (error) => (error._tag === "StoreUnavailable" ? unavailable() : error))
      )
    })
  }

  private saveSnapshot(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const now = this.ownership.folded
      if (now === null || now.state._tag !== "Open" || now.version === now.snapshotVersion) return Effect.void
      const { state, version } = now
      // It holds what is being taken out.
      if (state.redactions.length > 0) return Effect.void
      const { sessionId: streamId, sha256 } = this.options
      const written = Snapshot.write(sha256, version, state)
      return this.services.store.saveSnapshot({ streamId, foldVersion, version, state: written }).pipe(
        Effect.tap(() => Effect.sync(() => this.ownership.snapshotted(version))),
        Effect.ignore
      )
    })
  }
}

export const make = Effect.fnUntraced(function* (
  options: SessionActorOptions
): Effect.fn.Return<SessionActor, never, EventStore | Minting | Feeds | Scope.Scope> {
  const services: Services = {
    store: (yield* OutputGate).before(yield* EventStore),
    minting: yield* Minting,
    codec: yield* SessionCodec,
    logFormat: yield* LogFormat,
    recent: yield* RecentEvents,
    feeds: yield* Feeds,
    clock: yield* Clock.Clock,
    reach: (yield* CrashPoints).reach
  }
  const actor = new SessionActor(options, services, yield* Effect.context<never>())
  yield* Effect.addFinalizer(() => actor.end())
  return actor
})
