import type { AttemptId, RunnerId, SessionId } from "@troupe/domain/Ids"
import type { SessionState } from "@troupe/domain/session/SessionState"
import { Clock, Context, Effect, Layer } from "effect"
import type { SessionError, SessionNotReached } from "../session/SessionErrors.ts"
import { Sessions } from "../session/Sessions.ts"

/** How long a session that was with a runner is taken to be there still, by a node that would have to ask another one. */
const believedMs = 1_000
const believedMax = 10_000

type Unknown = SessionError | SessionNotReached

/** What a ticket can't say, because tickets have no end: whether a session is still with the runner that once had it. */
export class Assignments extends Context.Service<
  Assignments,
  {
    /** Whether this attempt works on this runner, by the log. */
    readonly isWorking: (
      sessionId: SessionId,
      attemptId: AttemptId,
      runnerId: RunnerId
    ) => Effect.Effect<boolean, Unknown>
    /** Whether no other runner has what this one had: its attempts, or else its sandbox. */
    readonly isWith: (sessionId: SessionId, runnerId: RunnerId) => Effect.Effect<boolean, Unknown>
  }
>()("server/Assignments") {
  static readonly layer: Layer.Layer<Assignments, never, Sessions> = Layer.effect(
    Assignments,
    Effect.suspend(() => make)
  )
}

const working = (state: SessionState) =>
  state._tag !== "Open"
    ? []
    : state.threads.flatMap(({ turn }) => (turn !== null && turn.phase._tag === "Working" ? [turn.phase] : []))

/** The runners that a session is with; nobody where nothing of it is anywhere. */
const runnersOf = (state: SessionState): ReadonlyArray<string> => {
  const attempts = working(state).map(({ runnerId }) => runnerId)
  if (attempts.length > 0) return attempts
  return state._tag === "Open" && state.sandbox !== null ? [state.sandbox.runnerId] : []
}

const make = Effect.gen(function* () {
  const sessions = yield* Sessions
  const believed = new Map<string, number>()

  const isWith = Effect.fn("Assignments.isWith")(function* (sessionId: SessionId, runnerId: RunnerId) {
    const key = `${sessionId} ${runnerId}`
    const now = yield* Clock.currentTimeMillis
    if ((believed.get(key) ?? 0) > now) return true
    const { state } = yield* sessions.current(sessionId)
    const runners = runnersOf(state)
    const found = runners.length === 0 || runners.includes(runnerId)
    believed.delete(key)
    if (found) believed.set(key, now + believedMs)
    if (believed.size > believedMax) believed.delete(believed.keys().next().value!)
    return found
  })

  const isWorking = Effect.fn("Assignments.isWorking")(
    (sessionId: SessionId, attemptId: AttemptId, runnerId: RunnerId) =>
      Effect.map(sessions.current(sessionId), ({ state }) =>
        working(state).some((attempt) => attempt.attemptId === attemptId && attempt.runnerId === runnerId)
      )
  )

  return Assignments.of({ isWorking, isWith })
})
