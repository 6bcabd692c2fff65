import type { AttemptId, SessionId, ThreadId } from "@troupe/domain/Ids"
import type { CommandOf, SessionCommand } from "@troupe/domain/session/SessionCommand"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import type { OpenSession, Thread } from "@troupe/domain/session/SessionState"
import { held } from "@troupe/domain/session/standing"
import { type Clock, Effect } from "effect"
import type { Minting } from "../log/Minting.ts"
import type { AttemptDriver } from "./AttemptDriver.ts"
import type { CrashPoint } from "./CrashPoints.ts"
import type { Accepted } from "./planBatch.ts"
import type { SessionError } from "./SessionErrors.ts"

/** Whose turns are placed. */
export interface Placing {
  readonly sessionId: SessionId
  readonly driver: AttemptDriver["Service"]
  readonly minting: Minting["Service"]
  readonly clock: Clock.Clock
  readonly reach: (point: CrashPoint) => void
  sessionNow(): OpenSession | undefined
  /** Of the log that this is folded from. */
  versionNow(): number
  send(body: SessionCommand): Effect.Effect<Accepted, SessionError>
}

type StartAttempt = CommandOf<"StartAttempt">

/** How long a turn without a runner waits before it asks again. */
const againMs = 1_000
const refusedAgainMs = 20

/** From when on a thread's turn wants a runner; null where it wants none. */
export const wantedAt = (session: OpenSession, thread: Thread): number | null =>
  thread.turn?.phase._tag === "Placing" && held(session, thread) === null ? (thread.turn.phase.notBefore ?? 0) : null

/** Finds runners for turns that want one. */
export class Placer {
  private readonly fresh = new Set<AttemptId>()
  /** Started by what is being committed: of those that are not, nothing is left. */
  private early: ReadonlyArray<AttemptId> = []
  private readonly placing: Placing

  constructor(placing: Placing) {
    this.placing = placing
  }

  isWanting(threadId: ThreadId): boolean {
    return this.wanting(threadId) !== undefined
  }

  /** Asks for a runner until the turn has one or no longer wants one. */
  place(threadId: ThreadId): Effect.Effect<void> {
    const { clock, driver, minting, reach, sessionId } = this.placing
    return Effect.gen({ self: this }, function* () {
      for (let found = this.wanting(threadId); found !== undefined; found = this.wanting(threadId)) {
        const { session, waiting } = found
        const { overrides, turnId } = found.turn
        const home = session.sandbox?.runnerId ?? null
        const version = this.placing.versionNow()
        const placement = yield* driver.place({ sessionId, version, threadId, turnId, overrides, home })
        if (placement._tag === "Waiting") {
          const { reason } = placement
          if (waiting !== reason) {
            yield* Effect.ignore(this.placing.send({ _tag: "NoteWaiting", threadId, turnId, reason }))
          }
          yield* Effect.sleep(againMs)
          continue
        }
        reach("attempt.placed")
        const attemptId = minting.id("Attempt", clock.currentTimeMillisUnsafe()) as AttemptId
        this.fresh.add(attemptId)
        const { digests, runnerId } = placement
        const start = { _tag: "StartAttempt", threadId, turnId, attemptId, runnerId, digests } as const
        const result = yield* Effect.result(this.placing.send(start))
        if (result._tag === "Success") continue
        // Refused: the thread went on meanwhile, perhaps to a turn that wants a runner too. Look again.
        this.fresh.delete(attemptId)
        yield* Effect.sleep(refusedAgainMs)
      }
    })
  }

  /**
   * What starts the turns that `session` has due, where it is certain at once who takes them. It is what the log up to
   * `version` and these facts, which are not in it yet, lead to.
   */
  startAtOnce(session: OpenSession, version: number, since: ReadonlyArray<SessionEvent>): ReadonlyArray<StartAttempt> {
    const { clock, driver, minting, sessionId } = this.placing
    const now = clock.currentTimeMillisUnsafe()
    const home = session.sandbox?.runnerId ?? null
    const starts = session.threads.flatMap((thread): ReadonlyArray<StartAttempt> => {
      const { threadId, turn } = thread
      const at = wantedAt(session, thread)
      if (turn === null || at === null || at > now) return []
      const { overrides, turnId } = turn
      const placed = driver.placeAtOnce?.({ sessionId, version, since, threadId, turnId, overrides, home }) ?? null
      if (placed === null) return []
      const { digests, runnerId } = placed
      const attemptId = minting.id("Attempt", now) as AttemptId
      return [{ _tag: "StartAttempt", threadId, turnId, attemptId, runnerId, digests }]
    })
    this.early = starts.map(({ attemptId }) => attemptId)
    return starts
  }

  /** Whether this attempt was started here and nobody has run it yet. True once. */
  isFresh(attemptId: AttemptId): boolean {
    const isEarly = this.early.includes(attemptId)
    if (isEarly) this.early = this.early.filter((one) => one !== attemptId)
    return this.fresh.delete(attemptId) || isEarly
  }

  stop(): void {
    this.fresh.clear()
    this.early = []
  }

  /** The thread's turn, if it wants a runner now. */
  private wanting(threadId: ThreadId) {
    const session = this.placing.sessionNow()
    const thread = session?.threads.find((one) => one.threadId === threadId)
    if (session === undefined || thread === undefined) return undefined
    const at = wantedAt(session, thread)
    const { turn } = thread
    if (at === null || at > this.placing.clock.currentTimeMillisUnsafe()) return undefined
    return turn?.phase._tag === "Placing" ? { session, turn, ...turn.phase } : undefined
  }
}
