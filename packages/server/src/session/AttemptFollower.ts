import type { AttemptId, RunnerId, SessionId, ThreadId, TurnId } from "@troupe/domain/Ids"
import type { Frame } from "@troupe/domain/session/Frame"
import type { SessionCommand } from "@troupe/domain/session/SessionCommand"
import type { OpenSession, Thread, Turn } from "@troupe/domain/session/SessionState"
import { held } from "@troupe/domain/session/standing"
import { type Clock, Effect, Latch, Stream } from "effect"
import type { CrashPoint } from "./CrashPoints.ts"
import type { AttemptDriver, AttemptRef, Delivery, Output } from "./AttemptDriver.ts"
import type { Accepted } from "./planBatch.ts"
import type { SessionError } from "./SessionActor.ts"

interface AttemptFollowerOptions {
  readonly sessionId: SessionId
  readonly attemptId: AttemptId
  readonly threadId: ThreadId
  readonly turnId: TurnId
  readonly runnerId: RunnerId
  /** This activation started it: the runner can't know it yet. */
  readonly fresh: boolean
  readonly lostAfterMs: number
  readonly driver: AttemptDriver["Service"]
  readonly clock: Clock.Clock
  readonly reach: (point: CrashPoint) => void
  readonly send: (body: SessionCommand) => Effect.Effect<Accepted, SessionError>
  readonly forget: () => void
  readonly delta: (blockId: string, offset: number, text: string) => void
}

export interface AttemptFollower {
  /** Collects the attempt's frames into the log until the attempt has ended. */
  readonly run: Effect.Effect<void>
  /** The state as committed: what the runner is owed follows from it. */
  readonly update: (epoch: number, session: OpenSession, thread: Thread, turn: Turn) => void
  /** The attempt has ended in the log. */
  readonly end: () => void
}

const heldDeltaCharsMax = 65_536
const backoffMs = (tries: number): number => Math.min(2_000, 50 * 2 ** tries)

type Delta = Extract<Output, { readonly _tag: "Delta" }>

export const make = (options: AttemptFollowerOptions): AttemptFollower => {
  const { attemptId, clock, driver, reach, runnerId, send, sessionId, threadId, turnId } = options
  let epoch = 0
  let committed = 0
  let version = 0
  let current: Turn | null = null
  let over = false
  let fresh = options.fresh
  let heardAt = clock.currentTimeMillisUnsafe()
  let wanted = new Map<string, Delivery>()
  const delivered = new Set<string>()
  const changed = Latch.makeUnsafe(false)
  const ended = Latch.makeUnsafe(false)
  let recording = false
  let deltas: Array<Delta> = []
  let deltaChars = 0

  const ref = (): AttemptRef => ({ sessionId, epoch, threadId, turnId, attemptId, runnerId })

  const update: AttemptFollower["update"] = (nextEpoch, session, thread, turn) => {
    epoch = nextEpoch
    version = session.turns
    current = turn
    if (turn.phase._tag === "Working") committed = turn.phase.frame
    wanted = new Map()
    if (turn.interrupt !== null) wanted.set("interrupt", { _tag: "Interrupt" })
    const hold = held(session, thread)
    if (hold !== null) wanted.set(`stop:${hold}`, { _tag: "Stop", reason: hold })
    for (const message of turn.steers) wanted.set(`steer:${message.inputId}`, { _tag: "Steer", message })
    if (wanted.size > 0) changed.openUnsafe()
    releaseDeltas()
  }

  const end = () => {
    over = true
    // In the middle of recording, the attempt ended by its own frames: the record finishes and acknowledges them.
    if (!recording) ended.openUnsafe()
  }

  /** What the state asks for and this link has not carried yet. Asked again over every new link. */
  const deliver: Effect.Effect<never> = Effect.gen(function* () {
    while (true) {
      yield* changed.await
      changed.closeUnsafe()
      for (const [key, delivery] of wanted) {
        if (over || delivered.has(key)) continue
        delivered.add(key)
        const failed = yield* driver.deliver(ref(), delivery).pipe(
          Effect.as(false),
          Effect.catch(() => Effect.succeed(true))
        )
        if (!failed) continue
        delivered.delete(key)
        yield* Effect.sleep(200)
        changed.openUnsafe()
      }
    }
  })

  /** A delta is shown once the frame before it is committed. */
  const releaseDeltas = () => {
    if (deltas.length === 0) return
    const ready = deltas.filter((delta) => delta.afterFrame <= committed)
    if (ready.length === 0) return
    deltas = deltas.filter((delta) => delta.afterFrame > committed)
    deltaChars = deltas.reduce((sum, delta) => sum + delta.text.length, 0)
    for (const { blockId, offset, text } of ready) options.delta(blockId, offset, text)
  }

  const takeDelta = (delta: Delta) => {
    if (delta.afterFrame <= committed && deltas.length === 0) {
      options.delta(delta.blockId, delta.offset, delta.text)
    } else if (deltaChars + delta.text.length <= heldDeltaCharsMax) {
      deltas.push(delta)
      deltaChars += delta.text.length
    }
  }

  const lose = (reason: string) =>
    Effect.ignore(send({ _tag: "LoseAttempt", attemptId, reason })).pipe(Effect.andThen(driver.revoke(ref())))

  /** Records frames and acknowledges what is committed. False where the link is to be made anew. */
  const record = Effect.fnUntraced(function* (frames: ReadonlyArray<Frame>) {
    const last = frames[frames.length - 1]
    if (last === undefined || last.n <= committed) {
      if (last !== undefined) yield* driver.acknowledge(ref(), committed)
      return true
    }
    recording = true
    const result = yield* Effect.result(send({ _tag: "RecordFrames", attemptId, frames }))
    recording = false
    if (result._tag === "Success") {
      // While it works, the state says how far the log goes; once over, everything that counted is in.
      const upto = over ? last.n : committed
      reach("frames.recorded")
      yield* driver.acknowledge(ref(), upto)
      reach("frames.acknowledged")
      return over || upto >= last.n
    }
    const error = result.failure
    if (error._tag !== "CommandRejected") {
      yield* Effect.sleep(backoffMs(2))
      return false
    }
    if (error.reason._tag === "FrameHole") return false
    if (error.reason._tag === "ProtocolViolation") {
      yield* lose(`frame ${error.reason.frame}: ${error.reason.detail}`)
      return false
    }
    over = true
    yield* driver.revoke(ref())
    return false
  })

  const take = (output: Output): Effect.Effect<boolean> => {
    heardAt = clock.currentTimeMillisUnsafe()
    reach("attempt.linked")
    if (output._tag === "Frames") return record(output.frames)
    if (output._tag === "Delta") takeDelta(output)
    return Effect.succeed(true)
  }

  const link = Effect.suspend(() => {
    const request = { ...ref(), overrides: current?.overrides ?? {}, calls: current?.calls ?? [], version }
    const started = fresh
    if (started) reach("attempt.started")
    fresh = false
    const outputs = started ? driver.run(request) : driver.attach(ref(), committed)
    delivered.clear()
    changed.openUnsafe()
    return outputs.pipe(
      Stream.mapEffect(take),
      Stream.takeWhile((goOn) => goOn && !over),
      Stream.runDrain
    )
  })

  const work = Effect.gen(function* () {
    let tries = 0
    while (!over) {
      const before = heardAt
      const result = yield* Effect.result(link)
      if (over) return
      if (result._tag === "Failure") {
        const error = result.failure
        if (error._tag === "AttemptUnknown") {
          fresh = true
          continue
        }
        if (error._tag === "AttemptGone") return yield* lose(error.reason)
        if (error._tag === "EpochRefused") {
          // Somebody newer owns the session: our next write takes a new epoch, or finds out.
          options.forget()
          yield* Effect.ignore(send({ _tag: "Wake" }))
        }
      }
      if (heardAt > before) tries = 0
      if (clock.currentTimeMillisUnsafe() - heardAt >= options.lostAfterMs)
        return yield* lose("the runner was not heard")
      yield* Effect.sleep(backoffMs(tries++))
    }
  })

  const run = work.pipe(
    Effect.raceFirst(deliver),
    // The server ended it without its runner: the runner is told to stop.
    Effect.raceFirst(
      Effect.andThen(
        ended.await,
        Effect.suspend(() => driver.revoke(ref()))
      )
    )
  )

  return { run, update, end }
}
