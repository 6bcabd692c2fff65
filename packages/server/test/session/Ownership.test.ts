import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Result } from "effect"
import { TestClock } from "effect/testing"
import * as ActorWorld from "./actorWorld.ts"
import { ask } from "./actorWorld.ts"

const tagOf = (result: Result.Result<unknown, { readonly _tag: string }>) =>
  Result.isSuccess(result) ? "Accepted" : result.failure._tag

const opened = Effect.gen(function* () {
  const world = yield* ActorWorld.make
  const actor = yield* world.actor()
  yield* actor.handle(world.open())
  /** Somebody takes the next epoch, and does nothing with it. */
  const overtake = world.memory.claim(world.sessionId)
  const epoch = Effect.map(world.memory.head(world.sessionId), (head) => (head._tag === "Some" ? head.value.epoch : 0))
  return { ...world, ...actor, overtake, epoch, wakeUp: () => world.command({ _tag: "Wake" }) }
})

describe("an owner that was overtaken", () => {
  it.effect("stops, and does nothing by itself to get the session back", () =>
    Effect.gen(function* () {
      const { epoch, handle, lost, overtake, title, wakeUp } = yield* opened
      yield* overtake
      assert.strictEqual(tagOf(yield* Effect.result(handle(title("a")))), "SessionMoved")
      assert.strictEqual(lost.length, 1)
      for (let i = 0; i < 3; i++) assert.strictEqual(tagOf(yield* Effect.result(handle(wakeUp()))), "SessionMoved")
      assert.strictEqual(yield* epoch, 2)
    })
  )

  it.effect("takes it back for a client that is sent here", () =>
    Effect.gen(function* () {
      const { epoch, events, handle, overtake, title } = yield* opened
      yield* overtake
      const command = title("a")
      assert.strictEqual(tagOf(yield* Effect.result(handle(command))), "SessionMoved")
      assert.strictEqual((yield* handle(command)).seq, 2)
      assert.strictEqual(yield* epoch, 3)
      assert.deepStrictEqual(yield* events, ["SessionOpened", "SessionUpdated"])
    })
  )

  it.effect("notices when it is woken, and reacts anew", () =>
    Effect.gen(function* () {
      const { lost, overtake, reacted, wake } = yield* opened
      const before = reacted.length
      assert.strictEqual((yield* wake).epoch, 1)
      assert.strictEqual(reacted.length, before + 1)
      assert.strictEqual(lost.length, 0)
      yield* overtake
      assert.strictEqual((yield* wake).epoch, 3)
      assert.strictEqual(reacted.length, before + 2)
      assert.strictEqual(lost.length, 1)
    })
  )

  it.effect("is told by a runner that has seen the newer one", () =>
    Effect.gen(function* () {
      const { handle, lost, overtaken, title, wakeUp } = yield* opened
      overtaken()
      assert.strictEqual(lost.length, 1)
      assert.strictEqual(tagOf(yield* Effect.result(handle(wakeUp()))), "SessionMoved")
      assert.strictEqual(tagOf(yield* Effect.result(handle(title("a")))), "Accepted")
    })
  )
})

describe("a store that does not answer", () => {
  it.effect("makes a client's command neither lost nor done twice, whether it was done or not", () =>
    Effect.gen(function* () {
      for (const when of ["before", "after"] as const) {
        const { epoch, events, handle, held, lost, title } = yield* opened
        held.fail("append", when)
        const asked = yield* ask(handle(title("a")))
        yield* TestClock.adjust("1 second")
        assert.strictEqual(Result.getOrThrow(yield* Fiber.join(asked)).seq, 2, when)
        assert.deepStrictEqual(yield* events, ["SessionOpened", "SessionUpdated"])
        // Where its receipt was found, nobody needs to write again.
        assert.strictEqual(yield* epoch, when === "before" ? 2 : 1)
        assert.strictEqual(lost.length, 0)
      }
    })
  )

  it.effect("says so after a while, and the same command is taken later", () =>
    Effect.gen(function* () {
      const { events, handle, held, title } = yield* opened
      held.fail("append", "before", 1)
      held.fail("claim", "before", 3)
      const command = title("a")
      const asked = yield* ask(handle(command))
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(tagOf(yield* Fiber.join(asked)), "SessionUnavailable")
      assert.strictEqual((yield* handle(command)).seq, 2)
      assert.deepStrictEqual(yield* events, ["SessionOpened", "SessionUpdated"])
    })
  )

  it.effect("makes work of our own fail, to be derived again from what the log then says", () =>
    Effect.gen(function* () {
      const { command, events, handle, held, sessionId } = yield* opened
      const note = () => command({ _tag: "Note", event: { _tag: "SkillLoaded", name: sessionId, version: "1" } })
      held.fail("append", "after")
      assert.strictEqual(tagOf(yield* Effect.result(handle(note()))), "SessionUnavailable")
      assert.deepStrictEqual(yield* events, ["SessionOpened", "SkillLoaded"])
      assert.strictEqual(tagOf(yield* Effect.result(handle(note()))), "Accepted")
    })
  )

  it.effect("does not hide that somebody took the session over meanwhile", () =>
    Effect.gen(function* () {
      const { epoch, handle, held, lost, overtake, wakeUp, command } = yield* opened
      const note = command({ _tag: "Note", event: { _tag: "SkillLoaded", name: "n", version: "1" } })
      held.fail("append", "before")
      assert.strictEqual(tagOf(yield* Effect.result(handle(note))), "SessionUnavailable")
      yield* overtake
      assert.strictEqual(tagOf(yield* Effect.result(handle(wakeUp()))), "SessionMoved")
      assert.strictEqual(lost.length, 1)
      assert.strictEqual(yield* epoch, 2)
    })
  )

  it.effect("is no reason to give up a session whose new epoch was given, and its answer lost", () =>
    Effect.gen(function* () {
      const { epoch, handle, held, lost, wakeUp, command } = yield* opened
      const note = command({ _tag: "Note", event: { _tag: "SkillLoaded", name: "n", version: "1" } })
      held.fail("append", "before")
      held.fail("claim", "after")
      assert.strictEqual(tagOf(yield* Effect.result(handle(note))), "SessionUnavailable")
      assert.strictEqual(tagOf(yield* Effect.result(handle(wakeUp()))), "SessionUnavailable")
      assert.strictEqual(tagOf(yield* Effect.result(handle(wakeUp()))), "Accepted")
      assert.strictEqual(lost.length, 0)
      assert.strictEqual(yield* epoch, 3)
    })
  )
})
