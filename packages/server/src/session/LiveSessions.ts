import type { SessionId } from "@troupe/domain/Ids"
import { Context, Effect, Layer, Metric, type Scope } from "effect"
import type { SessionActor } from "./SessionActor.ts"

/** A session in this node's memory. */
export interface LiveSession extends Pick<SessionActor, "handle" | "current"> {
  /** Whether it may be called without asking the cluster whose it is. */
  readonly isOpen: () => boolean
}

const resident = Metric.gauge("troupe_sessions_resident", { description: "Sessions in this node's memory" })

/**
 * The sessions that live on this node. The cluster's client takes more time for a call that never leaves the process
 * than the session itself does, so whoever finds a session here calls it.
 */
export class LiveSessions extends Context.Service<
  LiveSessions,
  {
    /** The session, where it lives here and may be called. */
    readonly find: (sessionId: SessionId) => LiveSession | undefined
    /** Lists a session until the scope ends. */
    readonly enter: (sessionId: SessionId, live: LiveSession) => Effect.Effect<void, never, Scope.Scope>
  }
>()("server/LiveSessions") {
  static readonly layer = Layer.sync(LiveSessions, () => {
    const sessions = new Map<SessionId, LiveSession>()
    const counted = () => resident.updateUnsafe(sessions.size, Context.empty())
    counted()
    return LiveSessions.of({
      find: (sessionId) => {
        const live = sessions.get(sessionId)
        return live?.isOpen() === true ? live : undefined
      },
      enter: (sessionId, live) =>
        Effect.acquireRelease(
          Effect.sync(() => {
            sessions.set(sessionId, live)
            counted()
          }),
          () =>
            Effect.sync(() => {
              // Another activation may have come before this one was gone.
              if (sessions.get(sessionId) === live) sessions.delete(sessionId)
              counted()
            })
        )
    })
  })
}
