import { assert, describe, it } from "@effect/vitest"
import type { Stored } from "@troupe/domain/log/EventCodec"
import { Effect } from "effect"
import type { EventStore } from "../../src/log/EventStore.ts"
import * as ActorWorld from "./actorWorld.ts"

type Spoil = (event: Stored) => ReadonlyArray<Stored>

const spoilings: Record<string, Spoil> = {
  UnknownType: (event) => [{ ...event, type: "FromTheFuture" }],
  NewerVersion: (event) => [{ ...event, version: 99 }],
  Corrupt: (event) => [{ ...event, payload: "{" }],
  Hole: () => []
}

/** A log whose second event is not what it was. */
const opened = (spoil: Spoil) =>
  Effect.gen(function* () {
    const world = yield* ActorWorld.make
    const first = yield* world.actor()
    yield* first.handle(world.open())
    yield* first.handle(world.title("a"))
    yield* first.handle(world.title("b"))
    const { readToFold, restore } = world.memory
    const spoiled = (events: ReadonlyArray<Stored>) =>
      events.flatMap((event) => (event.seq === 2 ? spoil(event) : [event]))
    const store: Pick<EventStore["Service"], "readToFold" | "restore"> = {
      readToFold: (streamId, options) => Effect.map(readToFold(streamId, options), spoiled),
      restore: (streamId, options) =>
        Effect.map(restore(streamId, options), ({ events, snapshot }) => ({ snapshot, events: spoiled(events) }))
    }
    Object.assign(world.held.store, store)
    return { ...world, ...(yield* world.actor()) }
  })

describe("a log that can't be read", () => {
  for (const [reason, spoil] of Object.entries(spoilings)) {
    it.effect(`opens read-only, and says where: ${reason}`, () =>
      Effect.gen(function* () {
        const { current, handle, held, sessionId, title, wake } = yield* opened(spoil)
        const [appends, claims] = [held.appends.length, held.calls.claim]
        const expected = { _tag: "SessionUnreadable" as const, sessionId, seq: 2, reason }
        assert.deepInclude(yield* Effect.flip(handle(title("c"))), expected)
        assert.deepInclude(yield* Effect.flip(current), expected)
        assert.deepInclude(yield* Effect.flip(wake), expected)
        assert.deepInclude(yield* Effect.flip(handle(title("d"))), expected)
        assert.strictEqual(held.appends.length, appends)
        // It is read once, and no epoch is used up on it again.
        assert.strictEqual(held.calls.claim, claims + 1)
      })
    )
  }
})
