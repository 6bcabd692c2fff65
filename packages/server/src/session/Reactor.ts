import { system } from "@troupe/domain/Actor"
import type { AttemptId, CommandId, SessionId, TurnId } from "@troupe/domain/Ids"
import { Limits } from "@troupe/domain/Limits"
import type { Command, SessionCommand } from "@troupe/domain/session/SessionCommand"
import { leftOn } from "@troupe/domain/session/rest"
import type { OpenSession, Thread, Turn } from "@troupe/domain/session/SessionState"
import { Clock, Effect, FiberMap, type Scope } from "effect"
import { Minting } from "../log/Minting.ts"
import type { Activation } from "./activate.ts"
import * as Alarm from "./Alarm.ts"
import { AttemptDriver } from "./AttemptDriver.ts"
import * as AttemptFollower from "./AttemptFollower.ts"
import { CrashPoints } from "./CrashPoints.ts"
import { Feeds } from "./Feeds.ts"
import type { Accepted } from "./planBatch.ts"
import * as Placer from "./Placer.ts"
import { RedactionApplier } from "./RedactionApplier.ts"
import type { SessionError } from "./SessionErrors.ts"

export interface ReactorOptions {
  readonly sessionId: SessionId
  readonly handle: (command: Command) => Effect.Effect<Accepted, SessionError>
  /** By whose request a turn goes on, as W3C writes a span; null where that is not known. */
  readonly traceparentOf?: (turnId: TurnId) => string | null
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
  /** Whether the runner was told that the session is no more. Once is enough: what it did not hear it is told when it is greeted. */
  let told = false

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

  const reconcileAgain = () => {
    if (latest !== null) reconcile(latest)
  }

  const placer = Placer.make({ sessionId, driver, minting, clock, reach, sessionNow, send })
  const alarm = Alarm.make({
    clock,
    run: (effect) => void run("alarm", effect),
    sessionNow,
    wake: Effect.ignore(send({ _tag: "Wake" })),
    rang: reconcileAgain
  })

  /** Takes content out for as long as there is some to be taken. */
  const redact = Effect.gen(function* () {
    for (let seqs = sessionNow()?.redactions ?? []; seqs.length > 0; seqs = sessionNow()?.redactions ?? []) {
      yield* redactions.apply(sessionId, seqs, send)
      if (sessionNow()?.redactions.includes(seqs[0]!) === true) yield* Effect.sleep(againMs)
    }
  })

  const takeAway = (runnerId: string, { epoch }: Activation, { workspaceId }: OpenSession) => {
    told = true
    run(
      "place",
      driver.takeAway({ sessionId, workspaceId, runnerId, epoch }).pipe(Effect.andThen(Effect.sync(reconcileAgain)))
    )
  }

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
      fresh: placer.isFresh(attemptId),
      lostAfterMs: options.lostAfterMs,
      traceparent: () => options.traceparentOf?.(turn.turnId) ?? null,
      driver,
      clock,
      reach,
      send,
      overtaken: options.overtaken,
      delta: (blockId, offset, text) => {
        const after = latest?.version ?? 0
        feeds.publish(sessionId, { _tag: "Delta", blockId, offset, text, threadId: thread.threadId, after })
      }
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
    reconcileAgain()
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
      if (!placer.isWanting(threadId)) continue
      placing = true
      if (!FiberMap.hasUnsafe(fibers, threadId)) run(threadId, placer.place(threadId))
    }
    const redacting = session.redactions.length > 0
    if (redacting && !FiberMap.hasUnsafe(fibers, "redactions")) run("redactions", redact)
    const runnerId = leftOn(session)
    if (runnerId !== null && !told) takeAway(runnerId, activation, session)
    alarm.set(
      session,
      session.threads.flatMap((thread) => Placer.wantedAt(session, thread) ?? []).filter((at) => at > now())
    )
    const alarmAt = alarm.at()
    const soon = alarmAt !== null && alarmAt - now() <= keepMs
    options.keep(working.size > 0 || placing || redacting || soon || FiberMap.hasUnsafe(fibers, "place"))
  }

  const stop = () => {
    latest = null
    alarm.stop()
    followers.clear()
    placer.stop()
    options.keep(false)
    if (fibers.state._tag === "Closed") return
    for (const [, fiber] of fibers) fiber.interruptUnsafe()
  }

  return { reconcile, stop }
})

export const lostAfterMs = Limits.contactLeaseMs + Limits.contactMarginMs
