import { assert, describe, it } from "@effect/vitest"
import type { HarnessEnd, HarnessRun } from "../../src/harness/Harness.ts"
import { text } from "@troupe/domain/session/Content"
import { Deferred, Effect, Queue, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { follow, life, refOf, start } from "../support/attemptWorld.ts"
import { range } from "../support/journals.ts"
import { attemptId, eventId, modelStarted, requestId, runRequest, title, toolStarted } from "../support/requests.ts"
import { scratch } from "../support/scratch.ts"

const completed: HarnessEnd = { _tag: "Completed", stop: "end_turn", details: null }
const request = runRequest(1)
const ref = refOf(request)
const later = { ...ref, epoch: 2 }

const says =
  (count: number) =>
  ({ frames }: HarnessRun) =>
    Effect.as(
      Effect.forEach(range(1, count), (n) => frames.emit(title(`t${n}`))),
      completed
    )

const forever = ({ frames }: HarnessRun) => Effect.andThen(frames.emit(title("working")), Effect.never)

describe("An attempt", () => {
  it.effect("is run once, and a repeat gets its frames", () =>
    Effect.gen(function* () {
      let runs = 0
      const attempts = yield* start({
        directory: yield* scratch,
        run: (run) =>
          Effect.andThen(
            Effect.sync(() => runs++),
            says(3)(run)
          )
      })
      const first = yield* follow(attempts.run(request))
      yield* first.until(({ frames }) => frames.length === 4)
      const again = yield* follow(attempts.run(request))
      yield* again.until(({ frames }) => frames.length === 4)
      assert.deepStrictEqual(again.tags, ["TitleSuggested", "TitleSuggested", "TitleSuggested", "Completed"])
      assert.strictEqual(yield* first.ending, "RunnerAway")
      assert.strictEqual(runs, 1)
    }).pipe(Effect.scoped)
  )

  it.effect("gives an owner what came after its last commit, and ends when all is acknowledged", () =>
    Effect.gen(function* () {
      const attempts = yield* start({ directory: yield* scratch, run: says(9) })
      const first = yield* follow(attempts.run(request))
      yield* first.until(({ frames }) => frames.length === 10)
      const next = yield* follow(attempts.attach(later, 6))
      yield* next.until(({ frames }) => frames.length === 4)
      assert.deepStrictEqual(next.numbers, range(7, 10))
      yield* attempts.acknowledge(later, { frame: 8, contact: 0 })
      yield* attempts.acknowledge(later, { frame: 8, contact: 0 })
      yield* attempts.acknowledge(later, { frame: 10, contact: 0 })
      assert.strictEqual(yield* next.ending, "done")
      assert.deepStrictEqual(yield* attempts.journaled, [])
    }).pipe(Effect.scoped)
  )

  it.effect("is gone once it is collected, and never runs again", () =>
    Effect.gen(function* () {
      let runs = 0
      const options = {
        directory: yield* scratch,
        run: (run: HarnessRun) =>
          Effect.andThen(
            Effect.sync(() => runs++),
            says(1)(run)
          )
      }
      yield* life(options, (attempts) =>
        Effect.gen(function* () {
          const first = yield* follow(attempts.run(request))
          yield* first.until(({ frames }) => frames.length === 2)
          yield* attempts.acknowledge(ref, { frame: 2, contact: 0 })
          assert.strictEqual(yield* first.ending, "done")
          assert.strictEqual(yield* (yield* follow(attempts.attach(ref, 2))).ending, "AttemptGone")
        })
      )
      const attempts = yield* start(options)
      assert.strictEqual(yield* (yield* follow(attempts.run(request))).ending, "AttemptGone")
      assert.strictEqual(runs, 1)
    }).pipe(Effect.scoped)
  )

  it.effect("is unknown where it was never heard of", () =>
    Effect.gen(function* () {
      const attempts = yield* start({ directory: yield* scratch, run: forever })
      assert.strictEqual(yield* (yield* follow(attempts.attach(ref, 0))).ending, "AttemptUnknown")
      const delivered = yield* Effect.flip(attempts.deliver(ref, { _tag: "Interrupt" }))
      assert.strictEqual(delivered._tag, "AttemptUnknown")
    }).pipe(Effect.scoped)
  )

  it.effect("obeys its newest owner alone, also after a restart", () =>
    Effect.gen(function* () {
      const options = { directory: yield* scratch, run: forever }
      yield* life(options, (attempts) =>
        Effect.gen(function* () {
          const old = yield* follow(attempts.run(request))
          yield* old.until(({ frames }) => frames.length === 1)
          yield* follow(attempts.attach(later, 0))
          assert.strictEqual(yield* old.ending, "EpochRefused")
          assert.strictEqual((yield* Effect.flip(attempts.deliver(ref, { _tag: "Interrupt" })))._tag, "EpochRefused")
          yield* attempts.acknowledge(ref, { frame: 1, contact: 0 })
          yield* attempts.revoke(ref)
          assert.strictEqual((yield* attempts.journaled)[0]!.acknowledged, 0)
        })
      )
      const attempts = yield* start(options)
      assert.strictEqual((yield* Effect.flip(attempts.fence(ref)))._tag, "EpochRefused")
      assert.strictEqual(yield* (yield* follow(attempts.run(request))).ending, "EpochRefused")
    }).pipe(Effect.scoped)
  )
})

describe("The contact lease", () => {
  it.effect("holds for a minute from when the sign of life that was answered was sent", () =>
    Effect.gen(function* () {
      const begun: Array<number> = []
      const steps = [yield* Deferred.make<void>(), yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const attempts = yield* start({
        directory: yield* scratch,
        run: Effect.fnUntraced(function* ({ frames }) {
          for (const [index, step] of steps.entries()) {
            yield* Deferred.await(step)
            yield* frames.mayBegin
            begun.push(index)
            yield* frames.emit(title(`began ${index}`))
          }
          return completed
        })
      })
      const owner = yield* follow(attempts.run(request))
      yield* owner.until(({ contact }) => contact === 1)
      yield* Deferred.succeed(steps[0]!, undefined)
      yield* TestClock.adjust(4_000)
      assert.deepStrictEqual(begun, [])
      // Answered four seconds later: the lease has been running since.
      yield* attempts.acknowledge(ref, { frame: 0, contact: 1 })
      yield* owner.until(({ frames }) => frames.length === 1)
      yield* TestClock.adjust(56_000)
      yield* Deferred.succeed(steps[1]!, undefined)
      yield* owner.until(({ contact }) => contact >= 12)
      assert.deepStrictEqual(begun, [0])
      // An answer to what was answered before says nothing new.
      yield* attempts.acknowledge(ref, { frame: 1, contact: 1 })
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(begun, [0])
      yield* attempts.acknowledge(ref, { frame: 1, contact: owner.contact })
      yield* owner.until(({ frames }) => frames.length === 2)
      assert.deepStrictEqual(begun, [0, 1])
    }).pipe(Effect.scoped)
  )

  it.effect("is the nodes' where theirs is shorter, also for what works already, and never longer than our own", () =>
    Effect.gen(function* () {
      const begun: Array<number> = []
      const step = yield* Queue.unbounded<number>()
      const attempts = yield* start({
        directory: yield* scratch,
        run: ({ frames }) =>
          Queue.take(step).pipe(
            Effect.tap(() => frames.mayBegin),
            Effect.flatMap((n) =>
              Effect.andThen(
                frames.emit(title(`began ${n}`)),
                Effect.sync(() => begun.push(n))
              )
            ),
            Effect.forever
          )
      })
      const owner = yield* follow(attempts.run(request))
      yield* owner.until(({ contact }) => contact === 1)
      yield* attempts.acknowledge(ref, { frame: 0, contact: 1 })
      yield* TestClock.adjust(15_000)
      yield* attempts.adoptLease(10_000)
      Queue.offerUnsafe(step, 1)
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(begun, [])
      yield* attempts.adoptLease(600_000)
      yield* owner.until(({ frames }) => frames.length === 1)
      yield* TestClock.adjust(45_000)
      Queue.offerUnsafe(step, 2)
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(begun, [1])
    }).pipe(Effect.scoped)
  )

  it.effect("lets what runs go on and be journaled", () =>
    Effect.gen(function* () {
      const goOn = yield* Deferred.make<void>()
      const attempts = yield* start({
        directory: yield* scratch,
        run: ({ frames }) =>
          frames
            .emit(toolStarted(1))
            .pipe(
              Effect.andThen(Deferred.await(goOn)),
              Effect.andThen(frames.emit(title("finished meanwhile"))),
              Effect.as(completed)
            )
      })
      const owner = yield* follow(attempts.run(request))
      yield* owner.until(({ frames }) => frames.length === 1)
      yield* TestClock.adjust(300_000)
      yield* Deferred.succeed(goOn, undefined)
      yield* owner.until(({ tags }) => tags.includes("Completed"))
      // The call was left open by the harness: nobody can say how it ended.
      assert.deepStrictEqual(owner.tags, ["ToolStarted", "TitleSuggested", "ToolFinished", "Completed"])
    }).pipe(Effect.scoped)
  )
})

describe("The intent gate", () => {
  it.effect("opens when the frame is in the log and a node is in reach", () =>
    Effect.gen(function* () {
      const effects: Array<string> = []
      const attempts = yield* start({
        directory: yield* scratch,
        run: Effect.fnUntraced(function* ({ frames }) {
          const n = yield* frames.emit(toolStarted(1))
          yield* frames.committed(n)
          effects.push("effect")
          yield* frames.emit(title("after"))
          return completed
        })
      })
      const owner = yield* follow(attempts.run(request))
      yield* owner.until(({ frames }) => frames.length === 1)
      yield* TestClock.adjust(5_000)
      yield* owner.until(({ contact }) => contact === 2)
      assert.deepStrictEqual(effects, [])
      yield* TestClock.adjust(70_000)
      // A frozen runner reads this long after it was sent: the owner may have given the attempt up.
      yield* attempts.acknowledge(ref, { frame: 1, contact: 2 })
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(effects, [])
      yield* attempts.acknowledge(ref, { frame: 1, contact: owner.contact })
      yield* owner.until(({ frames }) => frames.length > 1)
      assert.deepStrictEqual(effects, ["effect"])
    }).pipe(Effect.scoped)
  )
})

describe("An interrupt", () => {
  const open = ({ frames }: HarnessRun) =>
    Effect.gen(function* () {
      yield* frames.emit(modelStarted(1))
      yield* frames.emit(toolStarted(2))
    })

  it.effect("lets the harness close what it opened, and closes the rest", () =>
    Effect.gen(function* () {
      const attempts = yield* start({
        directory: yield* scratch,
        run: (run) =>
          Effect.andThen(open(run), Effect.never).pipe(
            Effect.onInterrupt(() =>
              Effect.ignore(
                run.frames.emit({
                  _tag: "MessageBlock",
                  blockId: eventId(9),
                  requestId: requestId(1),
                  content: text("so f"),
                  partial: true
                })
              )
            )
          )
      })
      const owner = yield* follow(attempts.run(request))
      yield* owner.until(({ frames }) => frames.length === 2)
      yield* attempts.deliver(ref, { _tag: "Interrupt" })
      yield* attempts.deliver(ref, { _tag: "Interrupt" })
      yield* owner.until(({ tags }) => tags.includes("Interrupted"))
      assert.deepStrictEqual(owner.tags.slice(2), ["MessageBlock", "ModelRequestEnded", "ToolFinished", "Interrupted"])
      const [ended, finished] = owner.frames.slice(3).map(({ body }) => body)
      assert.strictEqual(ended!._tag === "ModelRequestEnded" && ended!.outcome, "cancelled")
      assert.strictEqual(ended!._tag === "ModelRequestEnded" && ended!.usage.source, "estimated")
      assert.strictEqual(finished!._tag === "ToolFinished" && finished!.outcome, "interrupted")
    }).pipe(Effect.scoped)
  )

  it.effect("is done within a second, also where the harness does not let go", () =>
    Effect.gen(function* () {
      const letGo = yield* Deferred.make<void>()
      let heard: unknown = null
      const attempts = yield* start({
        directory: yield* scratch,
        run: (run) =>
          Effect.andThen(open(run), Effect.never).pipe(
            Effect.onInterrupt(() =>
              Deferred.await(letGo).pipe(
                Effect.andThen(Effect.result(run.frames.emit(title("too late")))),
                Effect.map((result) => {
                  heard = result._tag
                })
              )
            )
          )
      })
      const owner = yield* follow(attempts.run(request))
      yield* owner.until(({ frames }) => frames.length === 2)
      yield* attempts.deliver(ref, { _tag: "Interrupt" })
      yield* TestClock.adjust(1_000)
      yield* owner.until(({ tags }) => tags.includes("Interrupted"))
      assert.deepStrictEqual(owner.tags.slice(2), ["ModelRequestEnded", "ToolFinished", "Interrupted"])
      yield* Deferred.succeed(letGo, undefined)
      yield* TestClock.adjust(1)
      assert.strictEqual(heard, "Failure")
      assert.strictEqual(owner.frames.length, 5)
    }).pipe(Effect.scoped)
  )
})

describe("What goes wrong", () => {
  it.effect("ends the attempt with what it was", () =>
    Effect.gen(function* () {
      const attempts = yield* start({
        directory: yield* scratch,
        run: ({ frames }) => Effect.andThen(frames.emit(toolStarted(1)), Effect.die(new Error("a bug in the harness")))
      })
      const owner = yield* follow(attempts.run(request))
      yield* owner.until(({ tags }) => tags.includes("Failed"))
      assert.deepStrictEqual(owner.tags, ["ToolStarted", "ToolFinished", "Failed"])
      const last = owner.frames.at(-1)!.body
      assert.strictEqual(last._tag === "Failed" && last.error.code, "harness_crashed")
      assert.notInclude(JSON.stringify(last), "a bug")
      const other = runRequest(2, { agent: { ...request.agent, harness: "nobody" } })
      const owner2 = yield* follow(attempts.run(other))
      yield* owner2.until(({ tags }) => tags.includes("Failed"))
      const failed = owner2.frames.at(-1)!.body
      assert.strictEqual(failed._tag === "Failed" && failed.error.code, "harness_unknown")
    }).pipe(Effect.scoped)
  )

  it.effect("is said in the space that is kept for it, when the journal is full", () =>
    Effect.gen(function* () {
      const attempts = yield* start({
        directory: yield* scratch,
        sizes: { attemptBytes: 65_536, closingBytes: 8_192 },
        run: ({ frames }) => Effect.forever(frames.emit(title("x".repeat(2_000))))
      })
      const owner = yield* follow(attempts.run(request))
      yield* owner.until(({ tags }) => tags.includes("Failed"))
      const last = owner.frames.at(-1)!.body
      assert.strictEqual(last._tag === "Failed" && last.error.code, "journal_full")
      assert.deepStrictEqual(owner.numbers, range(1, owner.frames.length))
    }).pipe(Effect.scoped)
  )

  it.effect("a restart ends what worked, and keeps outcomes that were known", () =>
    Effect.gen(function* () {
      const options = {
        directory: yield* scratch,
        run: ({ frames }: HarnessRun) =>
          frames.emit(modelStarted(1)).pipe(Effect.andThen(frames.emit(toolStarted(2))), Effect.andThen(Effect.never))
      }
      yield* life(options, (attempts) =>
        Effect.gen(function* () {
          const owner = yield* follow(attempts.run(request))
          yield* owner.until(({ frames }) => frames.length === 2)
        })
      )
      const attempts = yield* start(options)
      const [journaled] = yield* attempts.journaled
      assert.deepInclude(journaled, { attemptId: attemptId(1), frame: 5, acknowledged: 0, working: false, epoch: 1 })
      const owner = yield* follow(attempts.attach(ref, 2))
      yield* owner.until(({ tags }) => tags.includes("Failed"))
      assert.deepStrictEqual(owner.tags, ["ModelRequestEnded", "ToolFinished", "Failed"])
      const [ended, finished, failed] = owner.frames.map(({ body }) => body)
      assert.strictEqual(ended!._tag === "ModelRequestEnded" && ended!.outcome, "unknown")
      assert.strictEqual(finished!._tag === "ToolFinished" && finished!.outcome, "unknown")
      assert.deepInclude(failed, { _tag: "Failed", retryable: true })
      assert.strictEqual(failed!._tag === "Failed" && failed!.error.code, "runner_restarted")
    }).pipe(Effect.scoped)
  )
})

describe("What people send", () => {
  it.effect("a steer is taken once, however often it is delivered, and confirmed", () =>
    Effect.gen(function* () {
      const look = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const taken: Array<unknown> = []
      const attempts = yield* start({
        directory: yield* scratch,
        run: Effect.fnUntraced(function* ({ frames, inbox }) {
          for (const one of look) {
            yield* Deferred.await(one)
            taken.push((yield* inbox.takeSteers).map(({ behind }) => behind))
            yield* frames.emit(title("looked"))
          }
          const stop = yield* inbox.stopped
          return { _tag: "Suspended", reason: stop } as const
        })
      })
      const owner = yield* follow(attempts.run(request))
      const behind = [{ inputId: eventId(6), follows: eventId(5), content: text("slowly") }]
      const message = { inputId: eventId(5), turnId: request.turnId, content: text("left"), overrides: {} }
      const steer = { _tag: "Steer", message, behind } as const
      yield* owner.until(({ contact }) => contact === 1)
      yield* attempts.deliver(ref, steer)
      yield* attempts.deliver(ref, steer)
      yield* Deferred.succeed(look[0]!, undefined)
      yield* owner.until(({ frames }) => frames.length === 2)
      yield* attempts.deliver(ref, steer)
      yield* Deferred.succeed(look[1]!, undefined)
      yield* attempts.deliver(ref, { _tag: "Stop", reason: "paused" })
      yield* attempts.deliver(ref, { _tag: "Stop", reason: "paused" })
      yield* owner.until(({ tags }) => tags.includes("Suspended"))
      assert.deepStrictEqual(taken, [[behind], []])
      assert.deepStrictEqual(owner.tags, ["SteerTaken", "TitleSuggested", "TitleSuggested", "Suspended"])
    }).pipe(Effect.scoped)
  )
})

describe("A runner", () => {
  it.effect("takes no more attempts than it has room for, and none while it drains", () =>
    Effect.gen(function* () {
      const attempts = yield* start({ directory: yield* scratch, run: forever, capacity: 1 })
      const first = yield* follow(attempts.run(request))
      yield* first.until(({ frames }) => frames.length === 1)
      assert.strictEqual(yield* (yield* follow(attempts.run(runRequest(2)))).ending, "RunnerAway")
      yield* attempts.revoke(ref)
      assert.strictEqual(yield* first.ending, "AttemptGone")
      const second = yield* follow(attempts.run(runRequest(2)))
      yield* second.until(({ frames }) => frames.length === 1)
      yield* attempts.drain
      assert.strictEqual(yield* (yield* follow(attempts.run(runRequest(3)))).ending, "AttemptGone")
      yield* attempts.stop
      yield* attempts.idle
      yield* second.until(({ tags }) => tags.includes("Failed"))
    }).pipe(Effect.scoped)
  )

  it.effect("does what a node says of its attempts: go on, hand over, or forget", () =>
    Effect.gen(function* () {
      const attempts = yield* start({ directory: yield* scratch, run: forever })
      const owners = []
      for (const n of [1, 2, 3]) {
        const owner = yield* follow(attempts.run(runRequest(n)))
        yield* owner.until(({ frames }) => frames.length === 1)
        owners.push(owner)
      }
      yield* attempts.settle([
        { attemptId: attemptId(1), verdict: "resume" },
        { attemptId: attemptId(2), verdict: "drain" },
        { attemptId: attemptId(3), verdict: "discard" },
        { attemptId: attemptId(4), verdict: "discard" }
      ])
      yield* owners[1]!.until(({ tags }) => tags.includes("Failed"))
      assert.strictEqual(yield* owners[2]!.ending, "AttemptGone")
      assert.deepStrictEqual(
        (yield* attempts.journaled).map(({ working }) => working),
        [true, false]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("keeps an attempt's secrets out of frames and deltas, in whatever form, and takes newer ones", () =>
    Effect.gen(function* () {
      const secret = (version: number, value: string) => ({ name: "KEY", version, value: Redacted.make(value) })
      const goOn = yield* Deferred.make<void>()
      const values: Array<string | null> = []
      const attempts = yield* start({
        directory: yield* scratch,
        run: Effect.fnUntraced(function* ({ frames, secret }) {
          values.push(yield* secret("KEY"))
          frames.delta(eventId(1), 0, "the key is sk-fir")
          frames.delta(eventId(1), 17, "st-secret, you know")
          yield* frames.emit(
            title(`it is ${yield* secret("KEY")} and ${Buffer.from("sk-first-secret").toString("base64")}`)
          )
          yield* Deferred.await(goOn)
          values.push(yield* secret("KEY"))
          yield* frames.emit(title(`now ${yield* secret("KEY")}`))
          return completed
        })
      })
      const owner = yield* follow(attempts.run({ ...request, secrets: [secret(2, "sk-first-secret")] }))
      yield* owner.until(({ frames }) => frames.length === 1)
      yield* attempts.refreshSecret(ref, secret(3, "sk-second-secret"))
      yield* attempts.refreshSecret(ref, secret(1, "sk-an-old-one"))
      yield* Deferred.succeed(goOn, undefined)
      yield* owner.until(({ tags }) => tags.includes("Completed"))
      assert.deepStrictEqual(values, ["sk-first-secret", "sk-second-secret"])
      assert.deepStrictEqual(owner.frames[0]!.body, title("it is [secret] and [secret]"))
      assert.deepStrictEqual(owner.frames[1]!.body, title("now [secret]"))
      assert.notInclude(owner.text, "sk-")
    }).pipe(Effect.scoped)
  )
})
