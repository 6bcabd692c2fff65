import { assert, describe, it } from "@effect/vitest"
import type { SessionCommand } from "@troupe/domain/session/SessionCommand"
import { Context, Effect, Layer } from "effect"
import { EventStore } from "../../src/log/EventStore.ts"
import { Remembered } from "../../src/log/Remembered.ts"
import { SessionLog } from "../../src/runners/SessionLog.ts"
import * as ActorWorld from "../session/actorWorld.ts"

/** A session that talks, and two who read its log: one that has read it before, and one that never has. */
const make = Effect.gen(function* () {
  const world = yield* ActorWorld.make
  const actor = yield* world.actor()
  yield* actor.handle(world.open())
  const reader = (store: EventStore["Service"]) =>
    Effect.map(
      Layer.build(Layer.fresh(SessionLog.layer).pipe(Layer.provide(Layer.succeed(EventStore, store)))),
      (built) => Context.get(built, SessionLog)
    )
  const known = yield* reader(world.held.store)
  const { state, version } = yield* actor.current
  if (state._tag !== "Open") throw new Error("It is to be open")
  const { threadId } = state.threads[0]!
  const readsOf = Effect.fnUntraced(function* (log: SessionLog["Service"]) {
    const before = world.held.readAfter.length
    const { version } = yield* actor.current
    const conversation = yield* log.conversation(world.sessionId, threadId, version)
    return { conversation, after: world.held.readAfter.slice(before) }
  })
  return {
    world,
    log: known,
    say: actor.handle(world.send()),
    send: (body: SessionCommand) => actor.handle(world.command(body)),
    opened: version,
    version: Effect.map(actor.current, ({ version }) => version),
    known: readsOf(known),
    fresh: Effect.flatMap(reader(world.memory), readsOf),
    earlier: known.conversation(world.sessionId, threadId, version)
  }
})

describe("the log of a session, for runners", () => {
  it.effect("is read from where it was read to, and says what one says who reads all of it", () =>
    Effect.gen(function* () {
      const { fresh, known, log, opened, say, version, world } = yield* make
      assert.deepStrictEqual((yield* known).after, [0])
      yield* say
      const second = yield* known
      assert.deepStrictEqual(second.after, [opened])
      assert.deepStrictEqual(second.conversation, (yield* fresh).conversation)
      assert.deepStrictEqual((yield* known).after, [])
      const { length } = world.held.readAfter
      yield* log.setup(world.sessionId)
      yield* log.setup(world.sessionId)
      assert.deepStrictEqual(world.held.readAfter.slice(length), [0, yield* version])
    }).pipe(Effect.scoped)
  )

  it.effect("is read anew for an earlier version, and where content was taken out of it", () =>
    Effect.gen(function* () {
      const { earlier, fresh, known, opened, say, send, version } = yield* make
      yield* say
      yield* known
      assert.deepStrictEqual((yield* earlier).history, [])
      yield* known
      const before = yield* version
      const digest = "0".repeat(64)
      yield* send({ _tag: "RequestRedaction", seqs: [opened + 1], reason: "asked", replacements: [digest] } as never)
      const redacted = yield* known
      assert.deepStrictEqual(redacted.after, [before, 0])
      assert.deepStrictEqual(redacted.conversation, (yield* fresh).conversation)
    }).pipe(Effect.scoped)
  )
})

describe("what is remembered", () => {
  const keys = (remembered: Remembered<{ readonly size: number }>, ...names: ReadonlyArray<string>) =>
    names.filter((name) => {
      const found = remembered.take(name)
      if (found !== undefined) remembered.keep(name, found)
      return found !== undefined
    })

  it("is what was used last, as much as may be", () => {
    const remembered = new Remembered<{ readonly size: number }>(3, 100)
    for (const name of ["a", "b", "c", "d"]) remembered.keep(name, { size: 1 })
    assert.deepStrictEqual(keys(remembered, "a", "b", "c", "d"), ["b", "c", "d"])
    remembered.keep("large", { size: 98 })
    assert.deepStrictEqual(keys(remembered, "b", "c", "d", "large"), ["c", "d", "large"])
    remembered.keep("huge", { size: 101 })
    assert.deepStrictEqual(keys(remembered, "b", "c", "d", "large", "huge"), [])
  })

  it("counts what it has anew once it has grown", () => {
    const remembered = new Remembered<{ readonly size: number }>(3, 100)
    remembered.keep("a", { size: 60 })
    remembered.keep("a", { size: 90 })
    assert.deepStrictEqual(keys(remembered, "a"), ["a"])
  })
})
