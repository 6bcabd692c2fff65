import { system } from "@troupe/domain/Actor"
import type { AttemptId, CommandId, SessionId, ThreadId } from "@troupe/domain/Ids"
import { Limits } from "@troupe/domain/Limits"
import { nextDue } from "@troupe/domain/session/due"
import type { Command, SessionCommand } from "@troupe/domain/session/SessionCommand"
import type { OpenSession, Thread, Turn } from "@troupe/domain/session/SessionState"
import { held } from "@troupe/domain/session/standing"
import { Clock, Effect, FiberMap, type Scope } from "effect"
import { Minting } from "../log/Minting.ts"
import type { Activation } from "./activate.ts"
import { AttemptDriver } from "./AttemptDriver.ts"
import * as AttemptFollower from "./AttemptFollower.ts"
import { CrashPoints } from "./CrashPoints.ts"
import { Feeds } from "./Feeds.ts"
import type { Accepted } from "./planBatch.ts"
import { RedactionApplier } from "./RedactionApplier.ts"
import type { SessionError } from "./SessionErrors.ts"

export interface ReactorOptions {
  readonly sessionId: SessionId
  readonly handle: (command: Command) => Effect.Effect<Accepted, SessionError>
  /** A runner has seen a newer owner of the session. */
  readonly overtaken: () => void
  /** Told whether something is live or due soon, so that the session is not put away. */
  readonly keep: (keep: boolean) => void
  /** How long a runner may be silent before its attempt counts as lost. */
  readonly lostAfterMs: number
}

export interface Reactor {
  /** What is committed now: compares what should be going on with what is, and acts on the difference. */
  readonly reconcile: (activation: Activation) => void
  /** The session is somebody else's now: everything stops where it is, and nothing is told to anyone. */
  readonly stop: () => void
}

/** How long what could not be done waits for another try. */
const againMs = 1_000
const refusedAgainMs = 20
/** A session whose next timer is due within this is kept in memory. */
const keepMs = 60_000

const workingOf = (session: OpenSession): ReadonlyMap<AttemptId, Turn> =>
  new Map(
    session.threads.flatMap((thread) =>
      thread.turn?.phase._tag === "Working" ? [[thread.turn.phase.attemptId, thread.turn] as const] : []
    )
  )

/** From when on a thread's turn wants a runner; null where it wants none. */
const wantedAt = (session: OpenSession, thread: Thread): number | null =>
  thread.turn?.phase._tag === "Placing" && held(session, thread) === null ? (thread.turn.phase.notBefore ?? 0) : null

/**
 * Level-triggered: it has no memory of what was asked of it, only of what it is doing. Called after every commit and
 * activation, it makes the same of the same state however often and however late.
 */
export const make = Effect.fnUntraced(function* (
  options: ReactorOptions
): Effect.fn.Return<Reactor, never, AttemptDriver | Minting | Feeds | RedactionApplier | Scope.Scope> {
  const driver = yield* AttemptDriver
  const minting = yield* Minting
  const feeds = yield* Feeds
  const redactions = yield* RedactionApplier
  const clock = yield* Clock.Clock
  const { reach } = yield* CrashPoints
  const { handle, sessionId } = options

  const fibers = yield* FiberMap.make<string>()
  const run = yield* FiberMap.runtime(fibers)<never>()
  const followers = new Map<AttemptId, AttemptFollower.AttemptFollower>()
  const started = new Set<AttemptId>()
  let latest: Activation | null = null
  let alarmAt: number | null = null
  let wokenAt = -1

  const now = () => clock.currentTimeMillisUnsafe()

  const command = (body: SessionCommand): Command => ({
    commandId: minting.id("Command", now()) as CommandId,
    at: now(),
    actor: system,
    correlationId: minting.salt(),
    body
  })

  const send = (body: SessionCommand) => Effect.suspend(() => handle(command(body)))

  const sessionNow = () => (latest?.state._tag === "Open" ? latest.state : undefined)

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
      started.add(attemptId)
      const { digests, runnerId } = placement
      const start = { _tag: "StartAttempt", threadId, turnId, attemptId, runnerId, digests } as const
      const result = yield* Effect.result(send(start))
      if (result._tag === "Success") continue
      // Refused: the thread went on meanwhile, perhaps to a turn that wants a runner too. Look again.
      started.delete(attemptId)
      yield* Effect.sleep(refusedAgainMs)
    }
  })

  /** Takes content out for as long as there is some to be taken. */
  const redact = Effect.gen(function* () {
    for (let seqs = sessionNow()?.redactions ?? []; seqs.length > 0; seqs = sessionNow()?.redactions ?? []) {
      yield* redactions.apply(sessionId, seqs, send)
      if (sessionNow()?.redactions.includes(seqs[0]!) === true) yield* Effect.sleep(againMs)
    }
  })

  const follow = (activation: Activation, session: OpenSession, thread: Thread, turn: Turn) => {
    const { phase } = turn
    if (phase._tag !== "Working") return
    const { attemptId } = phase
    const known = followers.get(attemptId)
    if (known !== undefined) {
      known.update(activation, session, thread, turn)
      return
    }
    const follower = AttemptFollower.make({
      sessionId,
      attemptId,
      threadId: thread.threadId,
      turnId: turn.turnId,
      runnerId: phase.runnerId,
      fresh: started.delete(attemptId),
      lostAfterMs: options.lostAfterMs,
      driver,
      clock,
      reach,
      send,
      overtaken: options.overtaken,
      delta: (blockId, offset, text) =>
        feeds.publish(sessionId, { _tag: "Delta", blockId, offset, text, threadId: thread.threadId })
    })
    followers.set(attemptId, follower)
    follower.update(activation, session, thread, turn)
    run(
      attemptId,
      follower.run.pipe(
        Effect.catchCause((cause) => Effect.logError("Following an attempt broke", cause)),
        Effect.andThen(again(attemptId, follower))
      )
    )
  }

  /** A follower whose attempt goes on in the log has to be followed by another. */
  const again = Effect.fnUntraced(function* (attemptId: AttemptId, follower: AttemptFollower.AttemptFollower) {
    if (followers.get(attemptId) !== follower) return
    yield* Effect.sleep(againMs)
    if (followers.get(attemptId) !== follower) return
    followers.delete(attemptId)
    if (latest !== null) reconcile(latest)
  })

  /** One alarm, for the first moment at which something falls due by itself. */
  const setAlarm = (session: OpenSession) => {
    const retries = session.threads.flatMap((thread) => wantedAt(session, thread) ?? []).filter((at) => at > now())
    const next = Math.min(nextDue(session) ?? Infinity, ...retries)
    if (next === (alarmAt ?? Infinity)) return
    alarmAt = next === Infinity ? null : next
    run("alarm", alarmAt === null ? Effect.void : ring(alarmAt))
  }

  const ring = Effect.fnUntraced(function* (at: number) {
    // What an earlier wake left due can't be helped by hurry.
    yield* Effect.sleep(Math.max(at - now(), at <= wokenAt ? againMs : 0))
    alarmAt = null
    const session = sessionNow()
    const due = session === undefined ? null : nextDue(session)
    if (due !== null && due <= now()) {
      wokenAt = now()
      yield* Effect.ignore(send({ _tag: "Wake" }))
    }
    if (latest !== null) reconcile(latest)
  })

  const reconcile = (activation: Activation) => {
    latest = activation
    const session = activation.state
    if (session._tag !== "Open") return options.keep(false)
    const working = workingOf(session)
    for (const [attemptId, follower] of followers) {
      if (working.has(attemptId)) continue
      followers.delete(attemptId)
      follower.end()
    }
    let placing = false
    for (const thread of session.threads) {
      if (thread.turn === null) continue
      follow(activation, session, thread, thread.turn)
      const { threadId } = thread
      if (wanting(threadId) === undefined) continue
      placing = true
      if (!FiberMap.hasUnsafe(fibers, threadId)) run(threadId, place(threadId))
    }
    const redacting = session.redactions.length > 0
    if (redacting && !FiberMap.hasUnsafe(fibers, "redactions")) run("redactions", redact)
    setAlarm(session)
    const soon = alarmAt !== null && alarmAt - now() <= keepMs
    options.keep(working.size > 0 || placing || redacting || soon)
  }

  const stop = () => {
    latest = null
    alarmAt = null
    followers.clear()
    started.clear()
    options.keep(false)
    if (fibers.state._tag === "Closed") return
    for (const [, fiber] of fibers) fiber.interruptUnsafe()
  }

  return { reconcile, stop }
})

export const lostAfterMs = Limits.contactLeaseMs + Limits.contactMarginMs
