import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Stream } from "effect"
import * as TestRunner from "effect/cluster/TestRunner"
import { Members } from "../../src/cluster/Membership.ts"
import { Feeds } from "../../src/session/Feeds.ts"
import * as FedWire from "../../src/session/FedWire.ts"
import * as SessionFeed from "../../src/session/SessionFeed.ts"
import { KeptPages } from "../../src/session/KeptPages.ts"
import { WatchedPages } from "../../src/session/WatchedPages.ts"
import { type Seat, type Seen, WatchHub } from "../../src/session/WatchHub.ts"
import { Watchers, type WatchersOptions } from "../../src/session/Watchers.ts"
import { fakeLog, recorded } from "../support/FakeLog.ts"

const id = "sesn_1"
const owners = ["here", "elsewhere"] as const

const world = (options: WatchersOptions = {}, owner: "here" | "elsewhere" = "here") => {
  const log = fakeLog()
  const here = Watchers.layer({ checkEveryMs: 50, lingerMs: 100, ...options })
  // What is published is not heard on the watchers' node.
  const watchers: typeof here = owner === "here" ? here : Layer.provide(here, Layer.fresh(Feeds.layer))
  const layer = watchers.pipe(
    Layer.provide(Layer.succeed(Members, { gone: Effect.never, joined: Effect.succeed(true) })),
    Layer.provideMerge(SessionFeed.layer),
    Layer.provideMerge(Feeds.layer),
    Layer.provideMerge(log.layer),
    Layer.provideMerge(TestRunner.layer)
  )
  const commit = (count = 1) =>
    Effect.map(Feeds, ({ publish }) => {
      const events = log.write(id, count)
      publish(id, { _tag: "Events", events })
    })
  return {
    log,
    commit,
    run: <A, E>(effect: Effect.Effect<A, E, Layer.Success<typeof layer>>) => Effect.provide(effect, layer)
  }
}

/** What a reader sees, one after the other. */
const watch = (after: number) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const { open } = yield* Watchers
      const { take } = yield* open(id, after)
      return Stream.flatMap(Stream.fromEffectRepeat(take), Stream.fromIterable)
    })
  )

const seqs = (seen: ReadonlyArray<Seen>) =>
  seen.flatMap((one) => (one._tag === "Events" ? one.events.map(({ seq }) => seq) : []))
const upTo = (n: number, from = 0) => Array.from({ length: n - from }, (_, index) => from + index + 1)

const collect = (after: number, last: number) =>
  watch(after).pipe(
    Stream.takeUntil((seen) => seen._tag === "Events" && seen.events.some(({ seq }) => seq >= last)),
    Stream.runCollect,
    Effect.timeout(30_000)
  )

/** Until the feed stands, for tests of what comes through it. */
const live = Effect.scoped(
  Effect.gen(function* () {
    const { open } = yield* Watchers
    yield* Effect.flatMap(open(id, 0), (reader) => reader.live)
  })
)

const deltaAfter = (after: number, offset: number) =>
  ({ _tag: "Delta", blockId: "b", offset, text: "x", threadId: "t", after }) as const

const shown = (seen: ReadonlyArray<Seen>) => seen.map((one) => (one._tag === "Delta" ? one.delta.offset : seqs([one])))

const sessions = Effect.flatMap(Watchers, ({ counts }) => counts)

describe("Watchers", () => {
  it.live("joins what is stored with what comes, in order and once", () => {
    const { commit, log, run } = world()
    log.write(id, 600)
    return run(
      Effect.gen(function* () {
        const readers = yield* Effect.forEach([0, 10, 599, 600], (after) => Effect.forkChild(collect(after, 700)))
        yield* Effect.sleep(100)
        for (let i = 0; i < 100; i++) yield* commit()
        for (const [index, after] of [0, 10, 599, 600].entries()) {
          assert.deepStrictEqual(seqs(yield* Fiber.join(readers[index]!)), upTo(700, after))
        }
      })
    )
  })

  it.live.each(owners)("begins while commits rain, without a gap, where the owner is %s", (owner) => {
    const { commit, run } = world({}, owner)
    return run(
      Effect.gen(function* () {
        const writer = yield* Effect.forkChild(
          Effect.repeat(Effect.andThen(commit(3), Effect.sleep(1)), { times: 200 })
        )
        for (let i = 0; i < 10; i++) {
          const seen = yield* collect(i, 150 + i * 30)
          const got = seqs(seen)
          assert.deepStrictEqual(got, upTo(got[got.length - 1]!, i))
        }
        yield* Fiber.interrupt(writer)
      })
    )
  })

  it.live("finds out by itself that a feed is silent", () => {
    const { commit, log, run } = world()
    return run(
      Effect.gen(function* () {
        yield* commit(3)
        const reader = yield* Effect.forkChild(collect(0, 5))
        yield* Effect.sleep(100)
        log.write(id, 2)
        assert.deepStrictEqual(seqs(yield* Fiber.join(reader)), upTo(5))
      })
    )
  })

  it.live("fills a hole in the feed from the store", () => {
    const { commit, log, run } = world({ checkEveryMs: 10_000 })
    return run(
      Effect.gen(function* () {
        yield* commit(3)
        const reader = yield* Effect.forkChild(collect(0, 7))
        yield* live
        log.write(id, 3)
        yield* commit(1)
        assert.deepStrictEqual(seqs(yield* Fiber.join(reader)), upTo(7))
      })
    )
  })

  it.live.each(owners)("passes deltas on, between the events they came between, where the owner is %s", (owner) => {
    const { commit, run } = world({}, owner)
    const delta = (offset: number) => deltaAfter(1, offset)
    return run(
      Effect.gen(function* () {
        yield* commit(1)
        const { open } = yield* Watchers
        const reader = yield* open(id, 0)
        yield* reader.live
        const seen: Array<Seen> = [...(yield* reader.take)]
        const { publish } = yield* Feeds
        publish(id, delta(0))
        publish(id, delta(1))
        yield* commit(1)
        while (!seqs(seen).includes(2)) seen.push(...(yield* reader.take))
        assert.deepStrictEqual(shown(seen), [[1], 0, 1, [2]])
      }).pipe(Effect.scoped)
    )
  })

  it.live("show no delta of before what the store has told already", () => {
    const { commit, log, run } = world()
    return run(
      Effect.gen(function* () {
        const { open } = yield* Watchers
        const { publish } = yield* Feeds
        yield* commit(1)
        const reader = yield* open(id, 0)
        yield* reader.live
        const seen: Array<Seen> = [...(yield* reader.take)]
        // The feed says nothing of it, so it is read in the store, and then the feed is back with what is older.
        log.write(id, 1)
        while (!seqs(seen).includes(2)) seen.push(...(yield* reader.take))
        yield* reader.live
        publish(id, deltaAfter(1, 0))
        publish(id, deltaAfter(2, 1))
        yield* commit(1)
        while (!seqs(seen).includes(3)) seen.push(...(yield* reader.take))
        assert.deepStrictEqual(shown(seen), [[1], [2], 1, [3]])
      }).pipe(Effect.scoped)
    )
  })

  it("shows a reader that has read on in the store no delta of before that", () => {
    const hub = new WatchHub(id)
    hub.begin(1)
    hub.delta(deltaAfter(1, 0))
    hub.offer([recorded(id, 2)])
    hub.delta(deltaAfter(2, 1))
    assert.deepStrictEqual(shown(hub.take({ seq: 1, at: 0 }) ?? []), [0, [2], 1])
    assert.deepStrictEqual(shown(hub.take({ seq: 2, at: 0 }) ?? []), [1])
  })

  it("shows nobody what it kept from before a redaction: who is behind reads the store", () => {
    const hub = new WatchHub(id)
    hub.begin(0)
    hub.offer([recorded(id, 1), recorded(id, 2), { ...recorded(id, 3), type: "RedactionApplied" }, recorded(id, 4)])
    assert.isNull(hub.take(hub.placeAfter(0)))
    assert.isUndefined(hub.seatOf(1))
    assert.deepStrictEqual(shown(hub.take(hub.placeAfter(2)) ?? []), [[3, 4]])
  })

  it.live("encodes an event once a view, for all readers", () => {
    const { commit, run } = world()
    let encoded = 0
    const view = { encode: () => ++encoded }
    return run(
      Effect.gen(function* () {
        const read = watch(0).pipe(
          Stream.tap((seen) =>
            Effect.sync(() => seen._tag === "Events" && seen.events.forEach((seat) => seat.as(view)))
          ),
          Stream.takeUntil((seen) => seqs([seen]).includes(20)),
          Stream.runDrain
        )
        const readers = yield* Effect.forEach(upTo(50), () => Effect.forkChild(read))
        while ((yield* sessions).readers < 50) yield* Effect.sleep(10)
        yield* Effect.sleep(100)
        yield* commit(20)
        yield* Effect.forEach(readers, Fiber.join)
        assert.strictEqual(encoded, 20)
      })
    )
  })

  it.live("reads and encodes an event once for two hundred readers that come back to as many places", () => {
    const { log, run } = world({ checkEveryMs: 10_000 })
    const [events, readers] = [3_000, 200]
    log.write(id, events)
    const encoded = new Map<number, number>()
    const view = { encode: ({ seq }: Seat) => void encoded.set(seq, (encoded.get(seq) ?? 0) + 1) }
    return run(
      Effect.gen(function* () {
        const read = (after: number) =>
          watch(after).pipe(
            Stream.tap((seen) =>
              Effect.sync(() => seen._tag === "Events" && seen.events.forEach((seat) => seat.as(view)))
            ),
            Stream.takeUntil((seen) => seqs([seen]).includes(events)),
            Stream.runCollect
          )
        const places = upTo(readers).map((n) => n * 14)
        const all = yield* Effect.forEach(places, read, { concurrency: "unbounded" })
        for (const [at, seen] of all.entries()) assert.deepStrictEqual(seqs(seen), upTo(events, places[at]))
        assert.deepStrictEqual([encoded.size, new Set(encoded.values())], [events - 14, new Set([1])])
        assert.isAtMost(log.counts.reads, Math.ceil(events / 256))
      })
    )
  })

  it.live("hands out a long log in portions, and keeps of it what fits", () => {
    const { log, run } = world({ checkEveryMs: 10_000 })
    const kept = new KeptPages(1_000_000)
    const pages = new WatchedPages({
      read: (after, limit) =>
        Effect.succeed(upTo(Math.min(after + limit, 2_000), after).map((seq) => recorded(id, seq, "x".repeat(1_000)))),
      seatOf: () => undefined,
      fork: (effect) => Effect.runFork(effect),
      kept,
      keptMs: 50
    })
    log.write(id, 1_000)
    return run(
      Effect.gen(function* () {
        const { open } = yield* Watchers
        const reader = yield* open(id, 0)
        const [first] = yield* reader.take
        const got = seqs(first === undefined ? [] : [first])
        assert.deepStrictEqual(got, upTo(got.length))
        assert.isBelow(got.length, 256)
        for (let after = 0; after < 2_000;) {
          const seats = yield* pages.after(after)
          assert.strictEqual(seats[0]!.seq, after + 1)
          after = seats.at(-1)!.seq
          assert.isAtMost(kept.keptBytes, 1_000_000)
        }
        assert.isAbove(kept.keptBytes, 0)
        while (kept.keptBytes > 0) yield* Effect.sleep(10)
      }).pipe(Effect.scoped)
    )
  })

  it.live("reads a page again after a while that somebody always wants", () => {
    let reads = 0
    const pages = new WatchedPages({
      read: () => Effect.sync(() => [recorded(id, 1, `read ${++reads} times`)]),
      seatOf: () => undefined,
      fork: (effect) => Effect.runFork(effect),
      kept: new KeptPages(1_000_000),
      keptMs: 100
    })
    return Effect.gen(function* () {
      while (reads < 2) {
        assert.strictEqual((yield* pages.after(0)).length, 1)
        yield* Effect.sleep(5)
      }
    })
  })

  it.live("subscribes once a session, asks once a second for all, and lets go of what nobody watches", () => {
    const { commit, log, run } = world()
    return run(
      Effect.gen(function* () {
        yield* commit(1)
        const readers = yield* Effect.forEach(upTo(20), () => Effect.forkChild(collect(0, 99)))
        while ((yield* sessions).readers < 20) yield* Effect.sleep(10)
        yield* Effect.sleep(300)
        assert.deepStrictEqual(yield* sessions, { sessions: 1, readers: 20 })
        assert.isAtMost(log.counts.versions, 10)
        // Twenty readers at one place share the page.
        assert.isAtMost(log.counts.reads, 2)
        yield* Effect.forEach(readers, Fiber.interrupt)
        while ((yield* sessions).sessions > 0) yield* Effect.sleep(10)
        assert.deepStrictEqual(yield* sessions, { sessions: 0, readers: 0 })
      })
    )
  })

  it.live("cuts a reader off that takes nothing, and it resumes where it was", () => {
    const { commit, run } = world({ slowAfterMs: 150 })
    return run(
      Effect.gen(function* () {
        const { open } = yield* Watchers
        const reader = yield* open(id, 0)
        yield* commit(3)
        assert.deepStrictEqual(seqs(yield* reader.take), upTo(3))
        yield* commit(5_000)
        // Busy with what it took: nothing it does shows here.
        const error = yield* Effect.flip(Effect.timeout(reader.cut, 30_000))
        assert.deepInclude(error, { _tag: "SlowReader", lastSeq: 3 })
        assert.deepInclude(yield* Effect.flip(reader.take), { _tag: "SlowReader", lastSeq: 3 })
        assert.deepStrictEqual(seqs(yield* collect(3, 5_003)), upTo(5_003, 3))
      }).pipe(Effect.scoped)
    )
  })

  it.live("keeps no more for a reader that dawdles than for one that does not", () => {
    const { commit, run } = world()
    return run(
      Effect.gen(function* () {
        const reader = yield* watch(0).pipe(
          Stream.tap(() => Effect.sleep(20)),
          Stream.takeUntil((seen) => seqs([seen]).includes(4_000)),
          Stream.runCollect,
          Effect.forkChild
        )
        for (let i = 0; i < 40; i++) {
          yield* commit(100)
          yield* Effect.sleep(2)
        }
        assert.deepStrictEqual(seqs(yield* Fiber.join(reader)), upTo(4_000))
      })
    )
  })

  it.live("waits out a store that is away", () => {
    const { log, run } = world()
    log.write(id, 5)
    return run(
      Effect.gen(function* () {
        log.fail(true)
        const reader = yield* Effect.forkChild(collect(0, 5))
        yield* Effect.sleep(300)
        log.fail(false)
        assert.deepStrictEqual(seqs(yield* Fiber.join(reader)), upTo(5))
      })
    )
  })

  it("sends events whole and in frames of bearable size", () => {
    const large = "x".repeat(400_000)
    const events = upTo(10).map((seq) => recorded(id, seq, large))
    const framed = FedWire.frames([
      { _tag: "Events", events },
      { _tag: "Delta", blockId: "b", offset: 0, text: "é", threadId: "t", after: 10 }
    ])
    assert.isAbove(framed.length, 4)
    const back = framed.flatMap((frame) => FedWire.decode(FedWire.encode(frame)))
    assert.deepStrictEqual(
      back.flatMap((fed) => (fed._tag === "Events" ? fed.events : [])),
      events
    )
    assert.deepInclude(back[back.length - 1], { _tag: "Delta", text: "é" })
    for (const frame of framed) assert.isBelow(FedWire.encode(frame).length, 1_500_000)
  })
})
