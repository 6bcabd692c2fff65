import { assert, describe, it } from "@effect/vitest"
import type { Command, SessionCommand } from "@troupe/domain/session/SessionCommand"
import { Clock, Effect, Fiber } from "effect"
import type { Script, Step } from "../support/AttemptScript.ts"
import { commandOf, openCommand, plainMessage } from "../support/CommandGenerator.ts"
import { SessionMoved } from "../../src/session/SessionErrors.ts"
import * as EntityWorld from "./entityWorld.ts"

const plays =
  (...steps: ReadonlyArray<Step>) =>
  (): Script => ({ steps, end: { _tag: "Complete", stop: "end_turn" }, deaf: false })

const started = Effect.gen(function* () {
  const world = yield* EntityWorld.make({ seed: 1, script: plays() })
  const { pass, random, sessionId, sessions } = world
  const clock = yield* Clock.Clock
  const commandNow = (body: SessionCommand) => commandOf(random, clock.currentTimeMillisUnsafe(), body)
  /** Lets time pass until the answer is there. */
  const answered = Effect.fnUntraced(function* <A, E>(call: Effect.Effect<A, E>) {
    const fiber = yield* Effect.forkChild(call, { startImmediately: true })
    for (let tries = 0; tries < 300 && fiber.pollUnsafe() === undefined; tries++) yield* pass(100)
    return yield* Fiber.join(fiber)
  })
  const handle = (command: Command) => answered(sessions.handle(sessionId, command))
  const rename = (title: string) => Effect.suspend(() => handle(commandNow({ _tag: "Update", title })))
  yield* handle(
    commandNow({ ...openCommand(random, sessionId), budget: [], inputs: [], history: [] } as SessionCommand)
  )
  return { ...world, answered, commandNow, handle, rename }
})

describe("sessions", () => {
  it.effect("are called in the process where they live there", () =>
    Effect.gen(function* () {
      const { isLive, log, pass, rename, resident } = yield* started
      assert.isTrue(isLive())
      yield* rename("one")
      const { version } = yield* rename("two")
      assert.strictEqual(version, (yield* log).length)
      yield* pass(120_000)
      assert.strictEqual(yield* resident, 0)
      assert.isFalse(isLive())
      // Nobody is there: the cluster loads it.
      yield* rename("three")
      assert.isTrue(isLive())
    })
  )

  it.effect("stay for as long as they are called, however they are called", () =>
    Effect.gen(function* () {
      const { activations, pass, rename, resident } = yield* started
      for (let n = 0; n < 100; n++) {
        yield* rename(`${n}`)
        yield* pass(3_000)
      }
      assert.strictEqual(activations(), 1)
      assert.strictEqual(yield* resident, 1)
    })
  )

  it.effect("are asked for through the cluster when they end in the middle of a call", () =>
    Effect.gen(function* () {
      const { lives, rename, sessionId, state } = yield* started
      let open = true
      // As an actor ends: what waits in its mailbox is told that the session moved.
      const ends = Effect.suspend(() => {
        open = false
        return Effect.fail(new SessionMoved({ sessionId }))
      })
      yield* lives.enter(sessionId, { handle: () => ends, current: ends, isOpen: () => open })
      yield* rename("kept")
      assert.isFalse(open)
      const now = yield* state
      assert.strictEqual(now._tag === "Open" ? now.title : null, "kept")
    })
  )

  it.effect("are not waited for for ever", () =>
    Effect.gen(function* () {
      const { answered, commandNow, lives, sessionId, sessions } = yield* started
      let left = 0
      const never = Effect.onInterrupt(Effect.never, () => Effect.sync(() => void left++))
      yield* lives.enter(sessionId, { handle: () => never, current: never, isOpen: () => true })
      const late = commandNow({ _tag: "Update", title: "late" })
      assert.strictEqual((yield* Effect.flip(answered(sessions.current(sessionId))))._tag, "SessionNotReached")
      assert.strictEqual((yield* Effect.flip(answered(sessions.handle(sessionId, late))))._tag, "SessionNotReached")
      assert.strictEqual(left, 2)
      const asked = yield* Effect.forkChild(sessions.handle(sessionId, late))
      yield* EntityWorld.settled
      yield* Fiber.interrupt(asked)
      assert.strictEqual(left, 3)
    })
  )

  it.effect("do the same command once, whichever way it takes", () =>
    Effect.gen(function* () {
      const { client, commandNow, handle, log, random } = yield* started
      const command = commandNow({ _tag: "Send", inputs: [plainMessage(random)] })
      const first = yield* handle(command)
      const second = yield* client.Handle({ command })
      assert.strictEqual(second.seq, first.seq)
      assert.strictEqual((yield* log).filter((event) => event._tag === "MessageReceived").length, 1)
    })
  )

  it.effect("are left to the cluster by an owner that was overtaken", () =>
    Effect.gen(function* () {
      const { faults, isLive, pass, rename, state } = yield* started
      Object.assign(faults, { theft: 1 })
      const stolen = yield* Effect.forkChild(rename("stolen"), { startImmediately: true })
      yield* pass(10)
      assert.isFalse(isLive())
      Object.assign(faults, { theft: 0 })
      yield* pass(1_000)
      yield* Fiber.join(stolen)
      const now = yield* state
      assert.strictEqual(now._tag === "Open" ? now.title : null, "stolen")
    })
  )
})
