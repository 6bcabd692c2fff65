import { assert, describe, it } from "@effect/vitest"
import type { Committed } from "@troupe/domain/log/EventCodec"
import { Effect } from "effect"
import type { EventStore } from "../../src/log/EventStore.ts"
import { blanked } from "../../src/session/blanked.ts"
import * as ActorWorld from "./actorWorld.ts"

interface Spoiling {
  readonly reason: string
  readonly seq: number
  readonly spoil: (event: Committed) => ReadonlyArray<Committed>
}

const gone = { salt: null, payload: "{}" }

const spoilings: Record<string, Spoiling> = {
  "a type of a newer release": {
    reason: "UnknownType",
    seq: 2,
    spoil: (event) => [{ ...event, type: "FromTheFuture" }]
  },
  "a shape of a newer release": { reason: "NewerVersion", seq: 2, spoil: (event) => [{ ...event, version: 99 }] },
  "half a payload": { reason: "Corrupt", seq: 2, spoil: (event) => [{ ...event, payload: "{" }] },
  "an event without its fields": { reason: "Corrupt", seq: 2, spoil: (event) => [{ ...event, payload: "{}" }] },
  "a timer without its time": {
    reason: "Corrupt",
    seq: 3,
    spoil: (event) => [{ ...event, type: "TimerSet", payload: "{}" }]
  },
  "one letter that is another": {
    reason: "Corrupt",
    seq: 3,
    spoil: (event) => [{ ...event, payload: event.payload!.replace("second", "secona") }]
  },
  "a commitment to something else": {
    reason: "Corrupt",
    seq: 1,
    spoil: (event) => [{ ...event, commitment: "0".repeat(64) }]
  },
  "no payload": { reason: "Corrupt", seq: 2, spoil: (event) => [{ ...event, payload: null }] },
  "less than a redaction leaves": {
    reason: "Corrupt",
    seq: 2,
    spoil: (event) => [{ ...event, ...gone, type: "TimerSet" }]
  },
  "nothing where an event was": { reason: "Hole", seq: 2, spoil: () => [] }
}

/** A log of three events of which one is not what it was. */
const opened = ({ seq, spoil }: Pick<Spoiling, "seq" | "spoil">) =>
  Effect.gen(function* () {
    const world = yield* ActorWorld.make
    const first = yield* world.actor()
    yield* first.handle(world.open())
    yield* first.handle(world.title("first"))
    yield* first.handle(world.title("second"))
    const { readToFold, restore } = world.memory
    const spoiled = (events: ReadonlyArray<Committed>) =>
      events.flatMap((event) => (event.seq === seq ? spoil(event) : [event]))
    const store: Pick<EventStore["Service"], "readToFold" | "restore"> = {
      readToFold: (streamId, options) => Effect.map(readToFold(streamId, options), spoiled),
      restore: (streamId, options) =>
        Effect.map(restore(streamId, options), ({ events, snapshot }) => ({ snapshot, events: spoiled(events) }))
    }
    Object.assign(world.held.store, store)
    return { ...world, ...(yield* world.actor()) }
  })

describe("a log that can't be read", () => {
  for (const [name, { reason, seq, spoil }] of Object.entries(spoilings)) {
    it.effect(`opens read-only, and says where: ${name}`, () =>
      Effect.gen(function* () {
        const { current, handle, held, sessionId, title, wake } = yield* opened({ seq, spoil })
        const [appends, claims] = [held.appends.length, held.calls.claim]
        const expected = { _tag: "SessionUnreadable" as const, sessionId, seq, reason }
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

  it.effect("is not one from which content was taken out: what stands in its place is an event", () =>
    Effect.gen(function* () {
      const spoil = (event: Committed) => [{ ...event, salt: null, payload: blanked(event) }]
      const { current, handle, title } = yield* opened({ seq: 2, spoil })
      assert.deepInclude((yield* current).state, { title: "second" })
      assert.strictEqual((yield* handle(title("third"))).seq, 4)
    })
  )
})
