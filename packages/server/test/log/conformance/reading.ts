import { assert, type Vitest } from "@effect/vitest"
import type { Stored } from "@troupe/domain/log/EventCodec"
import { Effect, Option } from "effect"
import { beginning, EventStore, pageBytesMax, type Due } from "../../../src/log/EventStore.ts"
import { type LogWriter, markOf, newCommandId, newId, opened, rejectionOf } from "../../support/LogWriter.ts"

export const reading = (it: Vitest.MethodsNonLive<EventStore>) => {
  it.effect("reads in pages", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const writer = yield* opened()
      for (let i = 0; i < 5; i++)
        yield* writer.write({ payloads: Array.from({ length: 7 }, (_, n) => String(i * 7 + n)) })
      const seen: Array<string | null> = []
      for (let after = 0; ;) {
        const page = yield* store.read(writer.streamId, { after, limit: 8 })
        assert.isAtMost(page.length, 8)
        seen.push(...page.map(({ payload }) => payload))
        if (page.length === 0) break
        after = page.at(-1)!.seq
      }
      assert.deepStrictEqual(
        seen,
        Array.from({ length: 35 }, (_, n) => String(n))
      )
      assert.deepStrictEqual(yield* store.read("nonsense", { after: 0, limit: 8 }), [])
    })
  )

  it.effect("cuts pages of large events short, and leaves none out", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const writer = yield* opened()
      const third = JSON.stringify("ä".repeat(pageBytesMax / 6))
      const whole = JSON.stringify("b".repeat(pageBytesMax + 1))
      const payloads = [third, "1", third, third, "2", third, whole, whole, "3"]
      for (const payload of payloads) yield* writer.write({ payloads: [payload] })
      const pages = (read: typeof store.readToFold) =>
        Effect.gen(function* () {
          const lengths: Array<number> = []
          for (let after = 0; ;) {
            const page = yield* read(writer.streamId, { after, limit: 100 })
            if (page.length === 0) break
            assert.deepStrictEqual(
              page.map(({ payload }) => payload),
              payloads.slice(after, after + page.length)
            )
            lengths.push(page.length)
            after += page.length
          }
          return lengths
        })
      // Three thirds and their quotes come to a page; what is larger than one comes with what is before it, or alone.
      for (const read of [store.read, store.readToFold]) assert.deepStrictEqual(yield* pages(read), [4, 3, 1, 1])
      const seen: Array<number> = []
      for (let cursor = beginning; seen.length < payloads.length;) {
        const page = yield* store.readAll({ after: cursor, limit: 1_000 })
        const bytes = page.slice(0, -1).reduce((sum, { event }) => sum + Buffer.byteLength(event.payload!), 0)
        assert.isBelow(bytes, pageBytesMax)
        seen.push(...page.flatMap(({ event }) => (event.streamId === writer.streamId ? [event.seq] : [])))
        if (page.length === 0) yield* Effect.sleep(5)
        cursor = page.at(-1)?.cursor ?? cursor
      }
      assert.deepStrictEqual(
        seen,
        payloads.map((_, index) => index + 1)
      )
    })
  )

  it.effect("reads for a fold what it reads for others", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const writer = yield* opened()
      for (let i = 0; i < 3; i++) yield* writer.write({ payloads: ["1", "2", "3"] })
      const some = { after: 2, limit: 5 }
      const pick = ({ payload, seq, streamId, type, version }: Stored) => ({ payload, seq, streamId, type, version })
      const all = yield* store.read(writer.streamId, some)
      assert.deepStrictEqual((yield* store.readToFold(writer.streamId, some)).map(pick), all.map(pick))
      assert.deepStrictEqual(yield* store.readToFold("nonsense", some), [])
    })
  )

  it.effect("orders the events of all streams, each stream's in its own order", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const writers = yield* Effect.all(Array.from({ length: 12 }, () => opened()))
      const write = (writer: LogWriter) => Effect.forEach([1, 2, 3], () => writer.write({ payloads: ["1", "2", "3"] }))
      yield* Effect.forEach(writers, write, { concurrency: "unbounded" })
      const seen = new Map(writers.map(({ streamId }) => [streamId, 0]))
      const seenAll = () => [...seen.values()].every((seq) => seq === 9)
      for (let cursor = beginning; !seenAll();) {
        const page = yield* store.readAll({ after: cursor, limit: 5 })
        for (const { event } of page) {
          const last = seen.get(event.streamId)
          if (last === undefined) continue
          assert.strictEqual(event.seq, last + 1)
          seen.set(event.streamId, event.seq)
        }
        // What other databases on this server are writing may hold the reader back for a moment.
        if (page.length === 0) yield* Effect.sleep(5)
        cursor = page.at(-1)?.cursor ?? cursor
      }
    })
  )

  it.effect("finds streams that are due, in the shards that are asked for, the longest due first", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const wakes = [500, 0, null, 300, 2_000]
      const writers = yield* Effect.all(wakes.map((_, index) => opened({ shard: index === 0 ? 901 : 900 })))
      yield* Effect.forEach(writers, (writer, index) => writer.write({ wakeAt: wakes[index]! }))
      const nameOf = (id: string) => writers.findIndex(({ streamId }) => streamId === id)
      const due = (shards: ReadonlyArray<number>, limit = 10) =>
        Effect.map(store.due({ shards, nowMs: 1_000, after: null, limit }), (rows) =>
          rows.map(({ streamId, wakeAt }) => [nameOf(streamId), wakeAt])
        )
      assert.deepStrictEqual(yield* due([900]), [
        [1, 0],
        [3, 300]
      ])
      assert.deepStrictEqual(yield* due([900, 901]), [
        [1, 0],
        [3, 300],
        [0, 500]
      ])
      assert.deepStrictEqual(yield* due([900, 901], 1), [[1, 0]])
      assert.deepStrictEqual(yield* due([]), [])
      const pages: Array<string> = []
      for (let after: Due | null = null; ;) {
        const [next]: ReadonlyArray<Due> = yield* store.due({ shards: [900, 901], nowMs: 1_000, after, limit: 1 })
        if (next === undefined) break
        pages.push(next.streamId)
        after = next
      }
      const [late, live, , timer] = writers.map(({ streamId }) => streamId)
      assert.deepStrictEqual(pages, [live!, timer!, late!])
    })
  )

  it.effect("tells the versions of many streams", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const writers = yield* Effect.all([opened(), opened()])
      yield* writers[1].write({ payloads: ["1", "2"] })
      const [first, second] = writers.map(({ streamId }) => streamId)
      const versions = yield* store.versions([first!, second!, newId("Session"), "nonsense"])
      assert.deepStrictEqual(
        versions,
        new Map([
          [first!, 0],
          [second!, 2]
        ])
      )
    })
  )

  it.effect("keeps the newest snapshot of each fold version, of streams that exist", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const { streamId } = yield* opened()
      const save = (foldVersion: number, version: number, state: string, id = streamId) =>
        store.saveSnapshot({ streamId: id, foldVersion, version, state })
      assert.isTrue(Option.isNone(yield* store.snapshot(streamId, 1)))
      yield* save(1, 10, "ten")
      yield* save(2, 5, "five")
      yield* save(1, 8, "eight")
      assert.deepStrictEqual(yield* store.snapshot(streamId, 1), Option.some({ version: 10, state: "ten" }))
      assert.deepStrictEqual(yield* store.snapshot(streamId, 2), Option.some({ version: 5, state: "five" }))
      assert.isTrue(Option.isNone(yield* store.snapshot(streamId, 3)))
      const nobody = newId("Session")
      yield* save(1, 1, "ghost", nobody)
      assert.isTrue(Option.isNone(yield* store.snapshot(nobody, 1)))
    })
  )

  it.effect("restores from a snapshot and the first page after it, or from the beginning", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const writer = yield* opened()
      const { streamId } = writer
      for (let i = 0; i < 3; i++) yield* writer.write({ payloads: ["1", "2", "3"] })
      yield* store.saveSnapshot({ streamId, foldVersion: 1, version: 4, state: "four" })
      yield* store.saveSnapshot({ streamId, foldVersion: 2, version: 9, state: "nine" })
      const restored = (foldVersion: number, limit: number) =>
        Effect.map(store.restore(streamId, { foldVersion, limit }), ({ events, snapshot }) => ({
          state: Option.isSome(snapshot) ? `${snapshot.value.state} at ${snapshot.value.version}` : null,
          seqs: events.map(({ seq }) => seq)
        }))
      assert.deepStrictEqual(yield* restored(1, 3), { state: "four at 4", seqs: [5, 6, 7] })
      assert.deepStrictEqual(yield* restored(2, 3), { state: "nine at 9", seqs: [] })
      assert.deepStrictEqual(yield* restored(3, 4), { state: null, seqs: [1, 2, 3, 4] })
      const page = yield* store.readToFold(streamId, { after: 4, limit: 3 })
      assert.deepStrictEqual((yield* store.restore(streamId, { foldVersion: 1, limit: 3 })).events, page)
      for (const nobody of [newId("Session"), "nonsense"]) {
        const nothing = { snapshot: Option.none(), events: [] }
        assert.deepStrictEqual(yield* store.restore(nobody, { foldVersion: 1, limit: 3 }), nothing)
      }
    })
  )

  it.effect("tells answered commands in the order of their decisions", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const writer = yield* opened()
      const ids = Array.from({ length: 8 }, () => newCommandId()).toSorted()
      const marks = ids.map((id) => markOf(id, `"${id}"`))
      yield* writer.write({ mark: marks[7]!, payloads: ["1", "2"] })
      yield* writer.write({ payloads: [], rejections: [rejectionOf(ids[4]!, 2), rejectionOf(ids[3]!, 2)] })
      yield* writer.write({ mark: marks[0]!, rejections: [rejectionOf(ids[6]!, 3), rejectionOf(ids[1]!, 2)] })
      const all = yield* store.commands(writer.streamId, { after: null, limit: 10 })
      assert.deepStrictEqual(
        all.map(({ commandId }) => ids.indexOf(commandId)),
        [7, 1, 3, 4, 0, 6]
      )
      assert.deepStrictEqual(
        all.map(({ version }) => version),
        [0, 2, 2, 2, 2, 3]
      )
      assert.deepStrictEqual(
        all.map(({ rejection }) => rejection === null),
        [true, false, false, false, true, false]
      )
      assert.strictEqual(all[0]!.body, `"${ids[7]}"`)
      for (let n = 0; n < all.length; n++) {
        const [next] = yield* store.commands(writer.streamId, { after: n === 0 ? null : all[n - 1]!, limit: 1 })
        assert.deepStrictEqual(next, all[n])
      }
    })
  )
}
