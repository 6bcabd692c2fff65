import type { SessionId } from "@troupe/domain/Ids"
import type { Command } from "@troupe/domain/session/SessionCommand"
import type { SessionState } from "@troupe/domain/session/SessionState"
import { Cause, Clock, Context, Effect, Exit, Fiber, Layer, Option } from "effect"
import type {
  AlreadyProcessingMessage,
  EntityNotAssignedToRunner,
  MailboxFull,
  PersistenceError
} from "effect/cluster/ClusterError"
import { Members } from "../cluster/Membership.ts"
import { LiveSessions, type LiveSession } from "./LiveSessions.ts"
import * as Patience from "./Patience.ts"
import type { Accepted } from "./planBatch.ts"
import { SessionEntity } from "./SessionEntity.ts"
import { Overloaded, SessionMoved, SessionNotReached, type SessionError } from "./SessionErrors.ts"

export interface CurrentSession {
  readonly version: number
  readonly epoch: number
  readonly state: SessionState
}

export interface SessionsOptions {
  /** How long a call may take with all its retries. Long enough for a node to be replaced meanwhile. */
  readonly timeoutMs?: number
}

const retryAfterMs = 500

/** Sessions, wherever in the cluster they live. */
export class Sessions extends Context.Service<
  Sessions,
  {
    /** Sends a command until its outcome is known or the time is up. Sent again under its id, it is done once. */
    readonly handle: (
      sessionId: SessionId,
      command: Command
    ) => Effect.Effect<Accepted, SessionError | SessionNotReached>
    /** What the session folds to now; loads it if need be. */
    readonly current: (sessionId: SessionId) => Effect.Effect<CurrentSession, SessionError | SessionNotReached>
  }
>()("server/Sessions") {
  static readonly layer = (options: SessionsOptions = {}) => Layer.effect(Sessions, make(options))
}

type ClusterError = MailboxFull | AlreadyProcessingMessage | EntityNotAssignedToRunner | PersistenceError
/** Nothing was done, or nobody knows: the same command may be sent again. */
type Passing = { readonly _tag: "Passing"; readonly afterMs: number }
const passing = (afterMs: number): Passing => ({ _tag: "Passing", afterMs })

const make = Effect.fnUntraced(function* (options: SessionsOptions) {
  const clientOf = yield* SessionEntity.client
  const clock = yield* Clock.Clock
  const members = yield* Members
  const lives = yield* LiveSessions
  const patient = yield* Patience.make
  const timeoutMs = options.timeoutMs ?? 15_000

  const classify = (sessionId: SessionId, error: SessionError | ClusterError): SessionError | Passing => {
    switch (error._tag) {
      case "SessionMoved":
      case "EntityNotAssignedToRunner":
      case "AlreadyProcessingMessage":
      case "PersistenceError":
        return passing(50)
      case "SessionUnavailable":
        return passing(error.retryAfterMs)
      case "MailboxFull":
        return new Overloaded({ sessionId, retryAfterMs })
      default:
        return error
    }
  }

  /** None where it is better to ask again than to wait on. The end of a call to a frozen node is nothing to wait for. */
  const once = <A, E>(call: Effect.Effect<A, E>, leftMs: number) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const fiber = yield* Effect.forkDetach(restore(call), { startImmediately: true })
        const giveUp = Effect.as(Effect.raceFirst(members.gone, Effect.sleep(leftMs)), Option.none<Exit.Exit<A, E>>())
        return yield* restore(Effect.raceFirst(Effect.asSome(Fiber.await(fiber)), giveUp)).pipe(
          Effect.ensuring(Effect.sync(() => fiber.interruptUnsafe()))
        )
      })
    )

  /** Calls the session in this process if it lives here, and through the cluster if not, which loads it. */
  const until = <A>(
    sessionId: SessionId,
    here: (live: LiveSession) => Effect.Effect<A, SessionError>,
    anywhere: () => Effect.Effect<A, SessionError | ClusterError>
  ): Effect.Effect<A, SessionError | SessionNotReached> =>
    Effect.gen(function* () {
      const deadline = clock.currentTimeMillisUnsafe() + timeoutMs
      while (true) {
        const left = deadline - clock.currentTimeMillisUnsafe()
        if (left <= 0) return yield* new SessionNotReached({ sessionId, retryAfterMs })
        const live = lives.find(sessionId)
        const outcome = yield* live === undefined ? once(anywhere(), left) : patient(here(live), left)
        if (Option.isNone(outcome)) continue
        const exit = outcome.value
        if (Exit.isSuccess(exit)) return exit.value
        const failure = Cause.findErrorOption(exit.cause)
        if (failure._tag === "Some") {
          const error = classify(sessionId, failure.value)
          if (error._tag !== "Passing") return yield* error
          yield* Effect.sleep(error.afterMs)
          continue
        }
        // The owner was stopped in the middle of it (its handler was interrupted, and this says so), or it broke.
        if (!Cause.hasInterruptsOnly(exit.cause)) {
          yield* Effect.logError("A session's node broke on a call", exit.cause)
          return yield* new SessionMoved({ sessionId })
        }
        yield* Effect.sleep(50)
      }
    })

  return Sessions.of({
    handle: (sessionId, command) =>
      until(
        sessionId,
        (live) => live.handle(command),
        () => clientOf(sessionId).Handle({ command })
      ),
    current: (sessionId) =>
      until<CurrentSession>(
        sessionId,
        (live) => Effect.map(live.current, ({ epoch, state, version }) => ({ epoch, state, version })),
        () => clientOf(sessionId).Current()
      )
  })
})
