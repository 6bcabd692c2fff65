import type { AttemptId, SessionId, ThreadId } from "@troupe/domain/Ids"
import type { SessionCommand } from "@troupe/domain/session/SessionCommand"
import type { OpenSession, Thread } from "@troupe/domain/session/SessionState"
import { held } from "@troupe/domain/session/standing"
import { type Clock, Effect } from "effect"
import type { Minting } from "../log/Minting.ts"
import type { AttemptDriver } from "./AttemptDriver.ts"
import type { CrashPoint } from "./CrashPoints.ts"
import type { Accepted } from "./planBatch.ts"
import type { SessionError } from "./SessionErrors.ts"

interface PlacerOptions {
  readonly sessionId: SessionId
  readonly driver: AttemptDriver["Service"]
  readonly minting: Minting["Service"]
  readonly clock: Clock.Clock
  readonly reach: (point: CrashPoint) => void
  readonly sessionNow: () => OpenSession | undefined
  readonly send: (body: SessionCommand) => Effect.Effect<Accepted, SessionError>
}

/** How long a turn without a runner waits before it asks again. */
const againMs = 1_000
const refusedAgainMs = 20

/** From when on a thread's turn wants a runner; null where it wants none. */
export const wantedAt = (session: OpenSession, thread: Thread): number | null =>
  thread.turn?.phase._tag === "Placing" && held(session, thread) === null ? (thread.turn.phase.notBefore ?? 0) : null

/** Finds runners for turns that want one. */
export const make = ({ clock, driver, minting, reach, send, sessionId, sessionNow }: PlacerOptions) => {
  const fresh = new Set<AttemptId>()
  const now = () => clock.currentTimeMillisUnsafe()

  /** The thread's turn, if it wants a runner now. */
  const wanting = (threadId: ThreadId) => {
    const session = sessionNow()
    const thread = session?.threads.find((one) => one.threadId === threadId)
    if (session === undefined || thread === undefined) return undefined
    const at = wantedAt(session, thread)
    const { turn } = thread
    return at === null || at > now() || turn?.phase._tag !== "Placing" ? undefined : { session, turn, ...turn.phase }
  }

  /** Asks for a runner until the turn has one or no longer wants one. */
  const place = Effect.fnUntraced(function* (threadId: ThreadId) {
    for (let found = wanting(threadId); found !== undefined; found = wanting(threadId)) {
      const { session, waiting } = found
      const { overrides, turnId } = found.turn
      const home = session.sandbox?.runnerId ?? null
      const placement = yield* driver.place({ sessionId, threadId, turnId, overrides, home })
      if (placement._tag === "Waiting") {
        const { reason } = placement
        if (waiting !== reason) yield* Effect.ignore(send({ _tag: "NoteWaiting", threadId, turnId, reason }))
        yield* Effect.sleep(againMs)
        continue
      }
      reach("attempt.placed")
      const attemptId = minting.id("Attempt", now()) as AttemptId
      fresh.add(attemptId)
      const { digests, runnerId } = placement
      const start = { _tag: "StartAttempt", threadId, turnId, attemptId, runnerId, digests } as const
      const result = yield* Effect.result(send(start))
      if (result._tag === "Success") continue
      // Refused: the thread went on meanwhile, perhaps to a turn that wants a runner too. Look again.
      fresh.delete(attemptId)
      yield* Effect.sleep(refusedAgainMs)
    }
  })

  return {
    isWanting: (threadId: ThreadId) => wanting(threadId) !== undefined,
    place,
    /** Whether this attempt was started here and nobody has run it yet. True once. */
    isFresh: (attemptId: AttemptId) => fresh.delete(attemptId),
    stop: () => fresh.clear()
  }
}
