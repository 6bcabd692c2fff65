import type { AttemptId, RunnerId, SessionId, ThreadId, TurnId } from "@troupe/domain/Ids"
import type { AttemptRef, Output } from "@troupe/domain/runner/Attempt"
import type { Frame } from "@troupe/domain/session/Frame"
import type { SessionCommand } from "@troupe/domain/session/SessionCommand"
import type { OpenSession, Thread, Turn } from "@troupe/domain/session/SessionState"
import { type Clock, Effect, Latch, Stream } from "effect"
import type { Activation } from "./activate.ts"
import type { AttemptDriver } from "./AttemptDriver.ts"
import type { CrashPoint } from "./CrashPoints.ts"
import * as Deliveries from "./Deliveries.ts"
import * as Deltas from "./Deltas.ts"
import type { Accepted } from "./planBatch.ts"
import type { SessionError } from "./SessionErrors.ts"

interface AttemptFollowerOptions {
  readonly sessionId: SessionId
  readonly attemptId: AttemptId
  readonly threadId: ThreadId
  readonly turnId: TurnId
  readonly runnerId: RunnerId
  /** This activation started it: the runner can't know it yet. */
  readonly fresh: boolean
  readonly lostAfterMs: number
  readonly traceparent: () => string | null
  readonly driver: AttemptDriver["Service"]
  readonly clock: Clock.Clock
  readonly reach: (point: CrashPoint) => void
  readonly send: (body: SessionCommand) => Effect.Effect<Accepted, SessionError>
  readonly overtaken: () => void
  readonly delta: (delta: Deltas.Delta) => void
}

export interface AttemptFollower {
  /** Collects the attempt's frames into the log until the attempt has ended. */
  readonly run: Effect.Effect<void>
  /** The state as committed: what the runner is owed follows from it. */
  readonly update: (activation: Activation, session: OpenSession, thread: Thread, turn: Turn) => void
  /** The attempt has ended in the log. */
  readonly end: () => void
}

const backoffMs = (tries: number): number => Math.min(2_000, 50 * 2 ** tries)

const ends: ReadonlySet<Frame["body"]["_tag"]> = new Set(["Completed", "Failed", "Interrupted", "Suspended"])

export const make = (options: AttemptFollowerOptions): AttemptFollower => {
  const { attemptId, clock, driver, lostAfterMs, reach, runnerId, send, sessionId, threadId, turnId } = options
  let epoch = 0
  let committed = 0
  let contact = 0
  let version = 0
  let current: { readonly session: OpenSession; readonly turn: Turn } | null = null
  let over = false
  let fresh = options.fresh
  let heardAt = clock.currentTimeMillisUnsafe()
  /** A command of ours is under way: what it leads to is seen to where its answer arrives. */
  let telling = false
  const ended = Latch.makeUnsafe(false)

  const ref = (): AttemptRef => ({ sessionId, epoch, threadId, turnId, attemptId, runnerId })
  const deltas = Deltas.make(options.delta)
  const deliveries = Deliveries.make((delivery) => driver.deliver(ref(), delivery))
  const revoke = Effect.suspend(() => driver.revoke(ref()))
  const acknowledge = (frame: number) => driver.acknowledge(ref(), { frame, contact })

  const update: AttemptFollower["update"] = (activation, session, thread, turn) => {
    epoch = activation.epoch
    version = activation.version
    current = { session, turn }
    if (turn.phase._tag === "Working") committed = turn.phase.frame
    deliveries.want(session, thread, turn)
    deltas.release(committed)
  }

  const end = () => {
    over = true
    if (!telling) ended.openUnsafe()
  }

  const tell = (body: SessionCommand) =>
    Effect.suspend(() => {
      telling = true
      return Effect.result(send(body))
    }).pipe(
      Effect.tap(() =>
        Effect.sync(() => {
          telling = false
        })
      )
    )

  /** Gives the attempt up. Only the log can: where it can't be told now, the attempt goes on and is lost later. */
  const lose = Effect.fnUntraced(function* (reason: string) {
    const result = yield* tell({ _tag: "LoseAttempt", attemptId, reason })
    if (result._tag === "Failure" && result.failure._tag !== "CommandRejected") return
    over = true
    yield* Effect.logWarning("An attempt was given up").pipe(
      Effect.annotateLogs({ sessionId, turnId, attemptId, runnerId, reason })
    )
    yield* revoke
  })

  /** Records frames and acknowledges what is committed. False where the link is to be made anew. */
  const record = Effect.fnUntraced(function* (frames: ReadonlyArray<Frame>) {
    const last = frames[frames.length - 1]
    if (last === undefined) return true
    if (last.n <= committed) {
      yield* acknowledge(committed)
      return true
    }
    const result = yield* tell({ _tag: "RecordFrames", attemptId, frames })
    if (result._tag === "Success") {
      // While it works, the state says how far the log goes; once over, everything that counted is in.
      const upto = over ? last.n : committed
      reach("frames.recorded")
      yield* acknowledge(upto)
      reach("frames.acknowledged")
      if (!over) return upto >= last.n
      // Once it hears that its end is in the log it ends the link by itself.
      if (ends.has(last.body._tag)) return true
      // It ended in the log, and not by what it said itself: it does not know yet.
      yield* revoke
      return false
    }
    const error = result.failure
    switch (error._tag) {
      case "CommandRejected":
        if (error.reason._tag === "FrameHole") {
          yield* Effect.logWarning("Frames of an attempt are missing, and are asked for again").pipe(
            Effect.annotateLogs({ sessionId, attemptId, runnerId, frame: frames[0]!.n, committed })
          )
          return false
        }
        if (error.reason._tag === "ProtocolViolation") {
          yield* lose(`frame ${error.reason.frame}: ${error.reason.detail}`)
          return false
        }
        over = true
        yield* revoke
        return false
      case "CommandBroken":
      case "CommandUnstorable":
        // They would break again: the log can't take what this attempt says.
        yield* lose(`frames ${frames[0]!.n} to ${last.n}: ${error.detail}`)
        return false
      default:
        return false
    }
  })

  const take = (output: Output): Effect.Effect<boolean> => {
    heardAt = clock.currentTimeMillisUnsafe()
    reach("attempt.linked")
    if (output._tag === "Frames") return record(output.frames)
    if (output._tag === "Delta") deltas.take(output, committed)
    if (output._tag !== "Contact") return Effect.succeed(true)
    // What was acknowledged was not heard, or it would have ended.
    if (over) return Effect.succeed(false)
    // Says again how far the log goes: the acknowledgement itself may have been lost.
    contact = output.contact
    return Effect.as(acknowledge(committed), true)
  }

  const silentMs = () => clock.currentTimeMillisUnsafe() - heardAt

  /** Done once nothing has been heard for too long, on whatever link. */
  const silence: Effect.Effect<void> = Effect.suspend(() =>
    silentMs() >= lostAfterMs ? Effect.void : Effect.andThen(Effect.sleep(lostAfterMs - silentMs()), silence)
  )

  const link = Effect.suspend(() => {
    if (fresh) reach("attempt.started")
    const outputs =
      fresh && current !== null
        ? driver.run({ ...ref(), ...current, version, traceparent: options.traceparent() })
        : driver.attach(ref(), committed)
    fresh = false
    deliveries.again()
    return outputs.pipe(
      Stream.mapEffect(take),
      Stream.takeWhile((goOn) => goOn),
      Stream.runDrain,
      Effect.raceFirst(silence)
    )
  })

  const work = Effect.gen(function* () {
    for (let tries = 0; !over; tries++) {
      const before = heardAt
      const result = yield* Effect.result(link)
      if (over) return
      const error = result._tag === "Failure" ? result.failure : undefined
      if (error?._tag === "AttemptUnknown" && committed === 0) {
        fresh = true
        continue
      }
      if (error?._tag === "AttemptUnknown") yield* lose("the runner has forgotten it")
      else if (error?._tag === "AttemptGone") yield* lose(error.reason)
      else if (error?._tag === "EpochRefused") return options.overtaken()
      else if (silentMs() >= lostAfterMs) yield* lose("the runner was not heard")
      if (heardAt > before) tries = 0
      if (!over) yield* Effect.sleep(backoffMs(tries))
    }
  })

  const run = work.pipe(
    Effect.raceFirst(deliveries.run),
    // The server ended it without its runner: the runner is told to stop.
    Effect.raceFirst(Effect.andThen(ended.await, revoke))
  )

  return { run, update, end }
}
