import { assert, describe, it } from "@effect/vitest"
import type { TimerId } from "@troupe/domain/Ids"
import type { Lifecycle } from "@troupe/domain/session/Opening"
import { Effect } from "effect"
import type { Script, Step } from "../support/AttemptScript.ts"
import { openCommand, plainMessage } from "../support/CommandGenerator.ts"
import { mintId } from "../../../../test/support/Prng.ts"
import * as EntityWorld from "./entityWorld.ts"

const plays =
  (...steps: ReadonlyArray<Step>) =>
  (): Script => ({
    steps,
    end: { _tag: "Complete", stop: "end_turn" },
    deaf: false
  })

const opened = (
  script: () => Script,
  lifecycle: Partial<Lifecycle> = {},
  more: Partial<EntityWorld.EntityWorldOptions> = {}
) =>
  Effect.gen(function* () {
    const world = yield* EntityWorld.make({ seed: 1, script, ...more })
    const { handle, random, sessionId } = world
    const open = openCommand(random, sessionId)
    const plain = { budget: [], inputs: [], history: [], lifecycle: { ...open.lifecycle, ...lifecycle } }
    yield* handle({ ...open, ...plain })
    return { ...world, send: () => handle({ _tag: "Send", inputs: [plainMessage(random)] }) }
  })

describe("a turn that is due", () => {
  const startedWith = Effect.fnUntraced(function* (placesAtOnce: boolean) {
    const { commits, log, pass, runner, send } = yield* opened(plays(), {}, { placesAtOnce })
    yield* send()
    yield* pass(5_000)
    const tags = (yield* log).map(({ _tag }) => _tag)
    assert.deepStrictEqual(
      tags.filter((tag) => tag === "AttemptStarted" || tag === "TurnCompleted"),
      ["AttemptStarted", "TurnCompleted"]
    )
    assert.strictEqual(runner.notes.filter(({ note }) => note._tag === "RunCalled").length, 1)
    return commits().find((types) => types.includes("AttemptStarted"))!
  })

  it.effect("has its attempt started by the commit that makes it due, where it is certain who takes it", () =>
    Effect.map(startedWith(true), (types) => {
      assert.include(types, "MessageReceived")
      assert.strictEqual(types.at(-1), "AttemptStarted")
    })
  )

  it.effect("has it started once somebody was found, where it is not", () =>
    Effect.map(startedWith(false), (types) => assert.deepStrictEqual(types, ["AttemptStarted"]))
  )
})

describe("a session in the cluster", () => {
  it.effect("is put away when nothing is going on, and comes back as it was", () =>
    Effect.gen(function* () {
      const { activations, client, pass, resident, send, state } = yield* opened(plays())
      yield* send()
      yield* pass(5_000)
      const before = yield* client.Current()
      assert.strictEqual(yield* resident, 1)
      yield* pass(120_000)
      assert.strictEqual(yield* resident, 0)
      const after = yield* client.Current()
      assert.deepStrictEqual({ ...after, epoch: 0 }, { ...before, epoch: 0 })
      assert.deepStrictEqual(after.state, yield* state)
      assert.strictEqual(activations(), 2)
    })
  )

  it.effect("stays while an attempt works, however long nobody asks for it", () =>
    Effect.gen(function* () {
      const long: Step = { _tag: "Tool", kind: "effect", ms: 300_000, fails: false, expiresInMs: null }
      const { activations, log, pass, resident, send } = yield* opened(plays(long))
      yield* send()
      yield* pass(290_000)
      assert.strictEqual(yield* resident, 1)
      assert.strictEqual(activations(), 1)
      yield* pass(20_000)
      assert.include(
        (yield* log).map((event) => event._tag),
        "TurnCompleted"
      )
      yield* pass(120_000)
      assert.strictEqual(yield* resident, 0)
    })
  )

  it.effect("stays for a timer that is due soon, and is woken for one that is due later", () =>
    Effect.gen(function* () {
      const { activations, handle, log, pass, random, resident } = yield* opened(plays())
      const set = (dueAt: number) =>
        handle({ _tag: "SetTimer", timerId: mintId(random, "Timer") as TimerId, dueAt, name: "t", payload: null })
      const fired = Effect.map(log, (events) =>
        events.flatMap((event) => (event._tag === "TimerFired" ? [event.at] : []))
      )
      // The world begins at ten seconds.
      yield* set(65_000)
      yield* set(600_000)
      yield* pass(60_000)
      assert.deepStrictEqual(yield* fired, [65_000])
      assert.strictEqual(activations(), 1)
      yield* pass(300_000)
      assert.strictEqual(yield* resident, 0)
      yield* pass(240_000)
      const [, second] = yield* fired
      assert.isAtMost(second! - 600_000, 2_000)
      assert.strictEqual(activations(), 2)
      yield* pass(200_000)
      assert.strictEqual(yield* resident, 0)
    })
  )

  it.effect("is deleted when its time is up, though nobody asks for it and it is not in memory", () =>
    Effect.gen(function* () {
      const { activations, log, pass, resident, send } = yield* opened(plays(), { ttlMs: 600_000 })
      yield* send()
      yield* pass(500_000)
      assert.strictEqual(yield* resident, 0)
      yield* pass(150_000)
      const ends = (yield* log).flatMap((event) =>
        event._tag === "TurnCompleted" || event._tag === "SessionDeleted" ? [event] : []
      )
      assert.deepStrictEqual(
        ends.map((event) => event._tag),
        ["TurnCompleted", "SessionDeleted"]
      )
      assert.isAtLeast(ends[1]!.at - ends[0]!.at, 600_000)
      assert.isAtMost(ends[1]!.at - ends[0]!.at, 602_000)
      assert.strictEqual(activations(), 2)
      // Nothing wakes what is gone.
      yield* pass(300_000)
      assert.deepStrictEqual([activations(), yield* resident], [2, 0])
    })
  )

  it.effect("is deleted with its last turn, if it lives for its turns alone", () =>
    Effect.gen(function* () {
      const { log, pass, send } = yield* opened(plays(), { onIdle: "delete" })
      yield* send()
      yield* pass(5_000)
      assert.deepStrictEqual(
        (yield* log).slice(-4).map((event) => event._tag),
        ["TurnCompleted", "StatusChanged", "SessionDeleted", "StatusChanged"]
      )
    })
  )

  it.effect("that is deleted has its place taken away, once", () =>
    Effect.gen(function* () {
      const { client, log, pass, runner, send, sessionId } = yield* opened(plays({ _tag: "Sandbox" }), {
        onIdle: "delete"
      })
      yield* send()
      yield* pass(5_000)
      const made = (yield* log).flatMap((event) => (event._tag === "SandboxCreated" ? [event.runnerId] : []))
      assert.deepStrictEqual(
        runner.taken.map((place) => [place.sessionId, place.runnerId]),
        [[sessionId, made[0]]]
      )
      yield* client.Current()
      assert.lengthOf(runner.taken, 1)
    })
  )

  it.effect("waits for an answer without being in memory", () =>
    Effect.gen(function* () {
      const ask: Step = { _tag: "Tool", kind: "question", ms: 0, fails: false, expiresInMs: null }
      const { client, handle, log, pass, resident, random, send, state } = yield* opened(plays(ask))
      yield* send()
      yield* pass(200_000)
      assert.strictEqual(yield* resident, 0)
      const now = yield* state
      const callId = now._tag === "Open" ? now.threads[0]!.turn!.calls[0]!.callId : assert.fail("not open")
      yield* handle({
        _tag: "Send",
        inputs: [{ _tag: "Answer", inputId: mintId(random, "Event") as never, callId, answer: 1 }]
      })
      yield* pass(10_000)
      assert.includeMembers(
        (yield* log).map((event) => event._tag),
        ["QuestionAnswered", "TurnResumed"]
      )
      assert.deepStrictEqual((yield* client.Current()).state, yield* state)
    })
  )
})
