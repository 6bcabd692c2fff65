import { system } from "@troupe/domain/Actor"
import type { AttemptId, CommandId, SessionId } from "@troupe/domain/Ids"
import { Limits } from "@troupe/domain/Limits"
import { nextDue } from "@troupe/domain/session/due"
import type { Command, SessionCommand } from "@troupe/domain/session/SessionCommand"
import type { OpenSession, Thread, Turn } from "@troupe/domain/session/SessionState"
import { held } from "@troupe/domain/session/standing"
import { Clock, Effect, FiberMap, type Scope } from "effect"
import { Minting } from "../log/Minting.ts"
import type { Activation } from "./activate.ts"
import { AttemptDriver, type PlaceRequest } from "./AttemptDriver.ts"
import * as AttemptFollower from "./AttemptFollower.ts"
import { CrashPoints } from "./CrashPoints.ts"
import { Feeds } from "./Feeds.ts"
import type { Accepted } from "./planBatch.ts"
import { RedactionApplier } from "./RedactionApplier.ts"
import type { SessionError } from "./SessionActor.ts"

export interface ReactorOptions {
  readonly sessionId: SessionId
  readonly handle: (command: Command) => Effect.Effect<Accepted, SessionError>
  /** The activation is no longer ours: what comes next takes a new epoch. */
  readonly forget: () => void
  /** Told whether something is live or due soon, so that the session is not put away. */
  readonly keep: (keep: boolean) => void
  /** How long a runner may be silent before its attempt counts as lost. */
  readonly lostAfterMs: number
}

export interface Reactor {
  /** What is committed now: compares what should be going on with what is, and acts on the difference. */
  readonly reconcile: (activation: Activation) => void
}

/** How long a turn without a runner waits before it asks again. */
const placeAgainMs = 1_000
const refusedAgainMs = 20
/** A session whose next timer is due within this is kept in memory. */
const keepMs = 60_000

const workingOf = (session: OpenSession): ReadonlyMap<AttemptId, Turn> =>
  new Map(
    session.threads.flatMap((thread) =>
      thread.turn?.phase._tag === "Working" ? [[thread.turn.phase.attemptId, thread.turn] as const] : []
    )
  )

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
  let latest: Activation | null = null
  const started = new Set<AttemptId>()
  let timerAt: number | null = null

  const command = (body: SessionCommand): Command => ({
    commandId: minting.id("Command", clock.currentTimeMillisUnsafe()) as CommandId,
    at: clock.currentTimeMillisUnsafe(),
    actor: system,
    correlationId: minting.salt(),
    body
  })

  const send = (body: SessionCommand) => Effect.suspend(() => handle(command(body)))

  const sessionNow = () => (latest?.state._tag === "Open" ? latest.state : undefined)

  /** Asks for a runner until the turn has one or no longer wants one. */
  const place = (threadId: string) =>
    Effect.gen(function* () {
      while (true) {
        const session = sessionNow()
        const thread = session?.threads.find((one) => one.threadId === threadId)
        if (session === undefined || thread === undefined || !due(session, thread)) return
        const turn = thread.turn!
        const request: PlaceRequest = {
          sessionId,
          threadId: thread.threadId,
          turnId: turn.turnId,
          overrides: turn.overrides,
          home: session.sandbox?.runnerId ?? null
        }
        const placement = yield* driver.place(request)
        if (placement._tag === "Waiting") {
          const { reason } = placement
          if (turn.phase._tag === "Placing" && turn.phase.waiting !== reason) {
            yield* Effect.ignore(send({ _tag: "NoteWaiting", threadId: thread.threadId, turnId: turn.turnId, reason }))
          }
          yield* Effect.sleep(placeAgainMs)
          continue
        }
        reach("attempt.placed")
        const attemptId = minting.id("Attempt", clock.currentTimeMillisUnsafe()) as AttemptId
        started.add(attemptId)
        const { digests, runnerId } = placement
        const ids = { threadId: thread.threadId, turnId: turn.turnId, attemptId, runnerId }
        const result = yield* Effect.result(send({ _tag: "StartAttempt", ...ids, digests }))
        // Refused: the thread went on meanwhile, perhaps to a turn that wants a runner too. Look again.
        if (result._tag === "Failure") {
          started.delete(attemptId)
          yield* Effect.sleep(refusedAgainMs)
        }
      }
    })

  /** Takes content out for as long as there is some to be taken. */
  const redact = Effect.gen(function* () {
    for (let seqs = sessionNow()?.redactions ?? []; seqs.length > 0; seqs = sessionNow()?.redactions ?? []) {
      yield* redactions.apply(sessionId, seqs, send)
    }
  })

  const due = (session: OpenSession, thread: Thread): boolean =>
    thread.turn?.phase._tag === "Placing" &&
    (thread.turn.phase.notBefore ?? 0) <= clock.currentTimeMillisUnsafe() &&
    held(session, thread) === null

  const follow = (activation: Activation, session: OpenSession, thread: Thread, turn: Turn) => {
    const { phase } = turn
    if (phase._tag !== "Working") return
    const { attemptId } = phase
    const known = followers.get(attemptId)
    if (known !== undefined) return known.update(activation.epoch, session, thread, turn)
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
      forget: options.forget,
      delta: (blockId, offset, text) =>
        feeds.publish(sessionId, { _tag: "Delta", blockId, offset, text, threadId: thread.threadId })
    })
    followers.set(attemptId, follower)
    follower.update(activation.epoch, session, thread, turn)
    run(attemptId, follower.run)
  }

  const setTimer = (session: OpenSession) => {
    const next = nextDue(session)
    if (next === timerAt) return
    timerAt = next
    if (next === null) {
      run("timer", Effect.void)
      return
    }
    run(
      "timer",
      Effect.sleep(Math.max(0, next - clock.currentTimeMillisUnsafe())).pipe(
        Effect.andThen(
          Effect.sync(() => {
            timerAt = null
          })
        ),
        Effect.andThen(Effect.ignore(send({ _tag: "Wake" })))
      )
    )
  }

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
      if (thread.turn.phase._tag === "Working") follow(activation, session, thread, thread.turn)
      if (!due(session, thread)) continue
      placing = true
      if (!FiberMap.hasUnsafe(fibers, thread.threadId)) run(thread.threadId, place(thread.threadId))
    }
    if (session.redactions.length > 0 && !FiberMap.hasUnsafe(fibers, "redactions")) {
      run("redactions", redact)
    }
    setTimer(session)
    const soon = timerAt !== null && timerAt - clock.currentTimeMillisUnsafe() <= keepMs
    options.keep(working.size > 0 || placing || soon)
  }

  return { reconcile }
})

export const lostAfterMs = Limits.contactLeaseMs + Limits.contactMarginMs
