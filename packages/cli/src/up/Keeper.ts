import { Clock, Deferred, Effect, Fiber, type Scope } from "effect"
import { end, gone, type Part, type PartEnded, type Running } from "./Part.ts"
import { signal } from "./processes.ts"

/** Keeps one part running: whenever it ends it is started again, after a pause that grows. */
export interface Keeper {
  readonly part: Part
  /** It was started for the first time. */
  readonly started: Effect.Effect<void>
  /** From now on it is started again for ever. */
  readonly settled: () => void
  readonly current: () => Running | null
  /** Starts it anew with what has changed. */
  readonly restart: Effect.Effect<void>
  /** Ends it in order, for good. */
  readonly stop: Effect.Effect<void>
  /** Ends it now. */
  readonly kill: () => void
}

/** What people are told while it goes on. */
export interface Told {
  readonly restarted: (part: Part, running: Running) => Effect.Effect<void>
  readonly ended: (how: PartEnded, times: number, againInMs: number) => Effect.Effect<void>
  readonly loops: (part: Part, how: PartEnded, times: number, againInMs: number) => Effect.Effect<void>
  /** It ended again and again before it was settled, or for good, and is left alone. */
  readonly givenUp: (part: Part, how: PartEnded) => Effect.Effect<void>
}

const firstPauseMs = 100
const pauseMsMax = 15_000
/** One that ran for so long was started well: what comes later is another story. */
const wellMs = 30_000
const loopFrom = 3

export const pauseMs = (times: number): number => Math.min(pauseMsMax, firstPauseMs * 2 ** (times - 1))

/** A loop is told of when it is noticed, and then less and less often. */
const isTold = (times: number) => times === loopFrom || (times > loopFrom && Number.isInteger(Math.log2(times)))

export const keep = Effect.fnUntraced(function* (part: Part, told: Told): Effect.fn.Return<Keeper, never, Scope.Scope> {
  const started = yield* Deferred.make<void>()
  let running: Running | null = null
  let isSettled = false
  let wanted = false

  // What was started is known here, or was not started: an interruption never falls in between.
  const once = Effect.uninterruptible(
    Effect.tap(part.start, (started) =>
      Effect.sync(() => {
        running = started
      })
    )
  )

  const loop = Effect.gen(function* () {
    let times = 0
    while (true) {
      const begun = yield* Clock.currentTimeMillis
      const result = yield* Effect.result(once)
      if (result._tag === "Success" && times > 0) yield* told.restarted(part, result.success)
      if (result._tag === "Success") yield* Deferred.succeed(started, undefined)
      const how = result._tag === "Success" ? yield* result.success.ended : result.failure
      running = null
      const lastedMs = (yield* Clock.currentTimeMillis) - begun
      times = wanted || lastedMs >= wellMs ? 1 : times + 1
      if (!isSettled && (how.final || times >= loopFrom)) {
        return yield* told.givenUp(part, how)
      }
      const againInMs = wanted ? 0 : pauseMs(times)
      if (!wanted && times < loopFrom) yield* told.ended(how, times, againInMs)
      if (isTold(times)) yield* told.loops(part, how, times, againInMs)
      wanted = false
      yield* Effect.sleep(againInMs)
    }
  })
  const fiber = yield* Effect.forkScoped(loop)

  return {
    part,
    started: Deferred.await(started),
    settled: () => {
      isSettled = true
    },
    current: () => running,
    restart: Effect.suspend(() => {
      if (running === null) return Effect.void
      wanted = true
      return end(running.process, part.stopping)
    }),
    stop: Effect.gen(function* () {
      yield* Fiber.interrupt(fiber)
      if (running !== null) yield* end(running.process, part.stopping)
    }),
    kill: () => {
      // Else it would be started again while all ends, and be left.
      fiber.interruptUnsafe()
      if (running !== null) signal(running.process, part.stopping.hard, part.name === "postgres" ? "process" : "group")
    }
  }
})

/** Waits until it is gone, for a moment. */
export const awaitEnd = ({ current }: Keeper, withinMs: number) =>
  Effect.suspend(() => {
    const running = current()
    return running === null ? Effect.void : Effect.asVoid(Effect.timeoutOption(gone(running.process), withinMs))
  })
