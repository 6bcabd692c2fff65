import type { RunnerId, SessionId } from "@troupe/domain/Ids"
import {
  AttemptGone,
  type AttemptRef,
  AttemptUnknown,
  type Delivery,
  EpochRefused,
  type Output,
  RunnerAway,
  type RunRequest,
  type Secret
} from "@troupe/domain/runner/Attempt"
import type { JournaledAttempt, Verdict } from "@troupe/domain/runner/Hello"
import type { FrameBody } from "@troupe/domain/session/Frame"
import { Clock, Context, Effect, Fiber, Layer, Semaphore, Stream } from "effect"
import { Journal } from "../journal/Journal.ts"
import { type JournaledRequest, withoutSecrets } from "../journal/JournaledRequest.ts"
import { AttemptEngine } from "./AttemptEngine.ts"
import { type AttemptTiming, type LinkError, LiveAttempt } from "./LiveAttempt.ts"
import { Signal } from "./Signal.ts"

export interface AttemptsOptions {
  readonly timing: AttemptTiming
  /** Attempts that may work at the same time. */
  readonly capacity: number
}

type Epochs = EpochRefused | RunnerAway

/** The attempts of this runner, and the rules of who may follow and end them. */
export class Attempts extends Context.Service<
  Attempts,
  {
    /** Starts the attempt, once ever; a repeat gets its frames. */
    readonly run: (request: RunRequest) => Stream.Stream<Output, LinkError>
    /** Acknowledges what came up to `afterFrame`, and gives what came after. Ends when all of it is acknowledged. */
    readonly attach: (ref: AttemptRef, afterFrame: number) => Stream.Stream<Output, LinkError | AttemptUnknown>
    readonly acknowledge: (
      ref: AttemptRef,
      heard: { readonly frame: number; readonly contact: number }
    ) => Effect.Effect<void>
    readonly deliver: (ref: AttemptRef, delivery: Delivery) => Effect.Effect<void, AttemptUnknown | Epochs>
    /** The attempt counts no more: it is stopped and forgotten. */
    readonly revoke: (ref: AttemptRef) => Effect.Effect<void>
    readonly settle: (verdicts: ReadonlyArray<Verdict>) => Effect.Effect<void>
    readonly refreshSecret: (ref: AttemptRef, secret: Secret) => Effect.Effect<void, AttemptUnknown | Epochs>
    /** Refuses whoever is not the newest owner that was heard of. */
    readonly fence: (place: {
      readonly sessionId: SessionId
      readonly epoch: number
    }) => Effect.Effect<void, EpochRefused>
    /** A node says after what silence it gives attempts up. The shorter lease holds: nothing works that counts as lost. */
    readonly adoptLease: (contactLeaseMs: number) => Effect.Effect<void>
    readonly journaled: Effect.Effect<ReadonlyArray<JournaledAttempt>>
    readonly working: Effect.Effect<number>
    readonly draining: Effect.Effect<boolean>
    /** No new attempts from now on. */
    readonly drain: Effect.Effect<void>
    /** Passes when no attempt works. */
    readonly idle: Effect.Effect<void>
    /** Ends what works, as far as it got. */
    readonly stop: Effect.Effect<void>
    /** Passes when everything that was said is in the log. */
    readonly collected: Effect.Effect<void>
  }
>()("runner/Attempts") {
  static readonly layer = (options: AttemptsOptions) => Layer.effect(Attempts, make(options))
}

const restarted: FrameBody = {
  _tag: "Failed",
  error: { code: "runner_restarted", message: "The runner was started again while the attempt worked" },
  retryable: true,
  retryAfterMs: null
}

const stopped: FrameBody = {
  _tag: "Failed",
  error: { code: "runner_stopped", message: "The runner was stopped while the attempt worked" },
  retryable: true,
  retryAfterMs: null
}

const make = Effect.fnUntraced(function* ({ capacity, timing: given }: AttemptsOptions) {
  const journal = yield* Journal
  const engine = yield* AttemptEngine
  const clock = yield* Clock.Clock
  const attempts = new Map<string, LiveAttempt>()
  const scope = yield* Effect.scope
  const fibers = new Map<string, Fiber.Fiber<void>>()
  const signal = new Signal()
  const starting = Semaphore.makeUnsafe(1)
  let draining = false
  let leaseMs = given.contactLeaseMs
  const timing = { ...given, leaseMs: () => leaseMs }

  const forget = Effect.fnUntraced(function* (attempt: LiveAttempt, reason: string) {
    if (attempts.get(attempt.attemptId) !== attempt) return
    attempts.delete(attempt.attemptId)
    fibers.delete(attempt.attemptId)
    yield* journal.forget(attempt.journal, reason)
    attempt.touch()
    signal.touch()
  }, Effect.uninterruptible)

  const collect = (attempt: LiveAttempt) =>
    Effect.suspend(() => {
      if (!attempt.done || attempt.gone !== null) return Effect.void
      attempt.collected = true
      return forget(attempt, "it has ended, and all it said is in the log")
    })

  /** Ends an attempt whose harness works no more. What can't even be journaled then is lost with it. */
  const finish = Effect.fnUntraced(function* (attempt: LiveAttempt, how: "interrupted" | "unknown", end: FrameBody) {
    const failure = yield* Effect.promise(() => attempt.journal.close(how, end))
    attempt.working = false
    if (failure !== null) {
      attempt.gone = `its end could not be journaled: ${failure}`
      yield* Effect.logError(attempt.gone).pipe(Effect.annotateLogs({ attemptId: attempt.attemptId }))
    }
    attempt.touch()
    signal.touch()
    yield* collect(attempt)
  }, Effect.uninterruptible)

  for (const found of journal.found) {
    const attempt = new LiveAttempt(found, !found.open.ended, timing, clock)
    attempts.set(attempt.attemptId, attempt)
    if (attempt.working) yield* finish(attempt, "unknown", restarted)
    else yield* collect(attempt)
  }

  const start = Effect.fnUntraced(function* (attempt: LiveAttempt, request: JournaledRequest) {
    const work = Effect.flatMap(engine.work(attempt, request), (end) =>
      attempt.working ? finish(attempt, "unknown", end) : Effect.void
    )
    fibers.set(attempt.attemptId, yield* Effect.forkIn(work, scope))
  })

  /** Interrupts the harness. One that does not let go in time is left behind, and nothing it says is heard. */
  const release = Effect.fnUntraced(function* (attempt: LiveAttempt) {
    const fiber = fibers.get(attempt.attemptId)
    if (fiber === undefined) return
    fibers.delete(attempt.attemptId)
    const released = yield* Effect.timeoutOption(Fiber.interrupt(fiber), timing.interruptGraceMs)
    if (released._tag === "Some") return
    yield* Effect.logWarning("A harness did not end when it was interrupted").pipe(
      Effect.annotateLogs({ attemptId: attempt.attemptId })
    )
  })

  const cut = Effect.fnUntraced(function* (attempt: LiveAttempt, how: "interrupted" | "unknown", end: FrameBody) {
    if (!attempt.working) return
    yield* release(attempt)
    if (attempt.working) yield* finish(attempt, how, end)
  })

  const discard = Effect.fnUntraced(function* (attempt: LiveAttempt) {
    attempt.gone = "it was revoked"
    attempt.working = false
    attempt.touch()
    yield* release(attempt)
    yield* forget(attempt, "it was revoked")
    signal.touch()
  })

  const fence = Effect.fn("Attempts.fence")(function* (place: {
    readonly sessionId: SessionId
    readonly epoch: number
  }) {
    const { epoch, sessionId } = place
    const seen = journal.epoch(sessionId)
    if (epoch < seen) return yield* new EpochRefused({ sessionId, epoch, seen })
    if (epoch === seen) return
    // Where it can't be written it is still known, and held to, until this process ends.
    yield* Effect.ignore(journal.raiseEpoch(sessionId, epoch))
    for (const attempt of attempts.values()) if (attempt.journal.request.sessionId === sessionId) attempt.touch()
  })

  const away = (runnerId: RunnerId) => new RunnerAway({ runnerId })
  const working = () => [...attempts.values()].filter((attempt) => attempt.working).length

  /** The attempt of this request, begun if it never was. */
  const begin = Effect.fnUntraced(function* (request: RunRequest) {
    const { attemptId, runnerId } = request
    const known = attempts.get(attemptId)
    if (known !== undefined) return known
    const forgotten = journal.forgotten(attemptId)
    if (forgotten !== undefined) return yield* new AttemptGone({ attemptId, reason: forgotten })
    if (draining) return yield* new AttemptGone({ attemptId, reason: "the runner takes no new attempts" })
    // Its owner asks again until there is room, or gives the attempt up.
    if (working() >= capacity) return yield* away(runnerId)
    const created = yield* Effect.mapError(
      journal.create(withoutSecrets(request)),
      ({ message }) => new AttemptGone({ attemptId, reason: message })
    )
    const attempt = new LiveAttempt(created, true, timing, clock)
    for (const secret of request.secrets) attempt.learn(secret)
    attempts.set(attemptId, attempt)
    yield* start(attempt, withoutSecrets(request))
    return attempt
  })

  const outputs = (attempt: LiveAttempt, ref: AttemptRef, afterFrame: number) =>
    attempt.outputs(ref, afterFrame, () => journal.epoch(ref.sessionId))

  const find = Effect.fnUntraced(function* (ref: AttemptRef) {
    yield* fence(ref)
    const { attemptId } = ref
    const attempt = attempts.get(attemptId)
    if (attempt !== undefined) return attempt
    const forgotten = journal.forgotten(attemptId)
    if (forgotten !== undefined) return yield* new AttemptGone({ attemptId, reason: forgotten })
    return yield* new AttemptUnknown({ attemptId })
  })

  /** For what may be said to an attempt that is gone: there is nobody left to hear it. */
  const findOrNone = (ref: AttemptRef) => Effect.catchTag(find(ref), "AttemptGone", () => Effect.succeed(undefined))

  return Attempts.of({
    fence,
    run: (request) =>
      Stream.unwrap(
        Effect.gen(function* () {
          yield* fence(request)
          const attempt = yield* Effect.uninterruptible(starting.withPermit(begin(request)))
          return outputs(attempt, request, attempt.journal.acknowledged)
        })
      ),
    attach: (ref, afterFrame) =>
      Stream.unwrap(
        Effect.gen(function* () {
          const attempt = yield* find(ref)
          attempt.acknowledge(afterFrame, 0)
          const output = outputs(attempt, ref, Math.max(afterFrame, attempt.journal.acknowledged))
          yield* collect(attempt)
          return output
        })
      ),
    acknowledge: Effect.fn("Attempts.acknowledge")(function* (ref, { contact, frame }) {
      const found = yield* Effect.result(find(ref))
      if (found._tag === "Failure") return
      found.success.acknowledge(frame, contact)
      yield* collect(found.success)
    }),
    deliver: Effect.fn("Attempts.deliver")(function* (ref, delivery) {
      const attempt = yield* findOrNone(ref)
      if (attempt === undefined) return
      if (delivery._tag === "Steer") attempt.inbox.steer({ ...delivery.message, behind: delivery.behind ?? [] })
      else if (delivery._tag === "Stop") attempt.inbox.stop(delivery.reason)
      else if (delivery._tag === "Grants") attempt.grant(delivery.grants)
      else if (delivery._tag === "Answer") attempt.answers.give(delivery.callId, delivery.answer)
      else if (attempt.working && !attempt.interrupted) {
        attempt.interrupted = true
        yield* Effect.forkIn(cut(attempt, "interrupted", { _tag: "Interrupted" }), scope)
      }
    }),
    revoke: Effect.fn("Attempts.revoke")(function* (ref) {
      const found = yield* Effect.result(find(ref))
      if (found._tag === "Success") yield* discard(found.success)
    }),
    settle: Effect.fn("Attempts.settle")(function* (verdicts) {
      for (const { attemptId, verdict } of verdicts) {
        const attempt = attempts.get(attemptId)
        if (attempt === undefined) continue
        if (verdict === "discard") yield* discard(attempt)
        if (verdict === "drain") yield* cut(attempt, "unknown", stopped)
      }
    }),
    refreshSecret: Effect.fn("Attempts.refreshSecret")(function* (ref, secret) {
      const attempt = yield* findOrNone(ref)
      attempt?.learn(secret)
    }),
    adoptLease: Effect.fn("Attempts.adoptLease")(function* (theirs) {
      const next = Math.min(theirs, given.contactLeaseMs)
      if (next === leaseMs) return
      leaseMs = next
      for (const attempt of attempts.values()) attempt.touch()
      yield* Effect.logWarning("The nodes' contact lease is another than this runner's: the shorter one holds").pipe(
        Effect.annotateLogs({ ours: given.contactLeaseMs, theirs })
      )
    }),
    journaled: Effect.sync(() =>
      [...attempts.values()].map(({ journal: { acknowledged, last, request }, working }) => ({
        sessionId: request.sessionId,
        attemptId: request.attemptId,
        epoch: journal.epoch(request.sessionId),
        frame: last,
        acknowledged,
        working
      }))
    ),
    working: Effect.sync(working),
    draining: Effect.sync(() => draining),
    drain: Effect.sync(() => {
      draining = true
    }),
    idle: signal.until(() => working() === 0),
    stop: Effect.suspend(() =>
      Effect.forEach([...attempts.values()], (attempt) => cut(attempt, "unknown", stopped), {
        concurrency: "unbounded",
        discard: true
      })
    ),
    collected: signal.until(() => attempts.size === 0)
  })
})
