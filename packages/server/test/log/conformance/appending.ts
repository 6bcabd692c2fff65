import { assert, type Vitest } from "@effect/vitest"
import * as Chain from "@troupe/domain/log/Chain"
import { Effect, Exit, Fiber, Option } from "effect"
import { EventStore } from "../../../src/log/EventStore.ts"
import {
  LogWriter,
  markOf,
  newCommandId,
  newInputId,
  newId,
  newWorkspaceId,
  opened,
  rejectionOf,
  sha256,
  summaryOf
} from "../../support/LogWriter.ts"
import { reasonOf, stored, verify } from "./judging.ts"

export const appending = (it: Vitest.MethodsNonLive<EventStore>) => {
  it.effect("makes a stream once, and gives it a new epoch each time", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const writer = new LogWriter()
      assert.isTrue(Option.isNone(yield* store.head(writer.streamId)))
      const first = yield* writer.open
      assert.deepStrictEqual(first, {
        stream: "session",
        streamId: writer.streamId,
        workspaceId: writer.workspaceId,
        version: 0,
        epoch: 1,
        chain: Chain.genesis,
        lastRecordedAt: 0,
        wakeAt: null
      })
      yield* writer.write()
      const second = yield* writer.open
      assert.deepStrictEqual([second.version, second.epoch], [1, 2])
      assert.deepStrictEqual(yield* store.head(writer.streamId), Option.some(second))
    })
  )

  it.effect("gives each of many claimants an epoch of its own", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const writer = yield* opened()
      const claims = Array.from({ length: 20 }, () => store.claim(writer.streamId))
      const heads = yield* Effect.all(claims, { concurrency: "unbounded" })
      const epochs = heads.map((head) => Option.getOrThrow(head).epoch).toSorted((a, b) => a - b)
      assert.deepStrictEqual(
        epochs,
        Array.from({ length: 20 }, (_, i) => i + 2)
      )
      assert.isTrue(Option.isNone(yield* store.claim(newId("Session"))))
      assert.isTrue(Option.isNone(yield* store.claim("nonsense")))
    })
  )

  it.effect("stores events as they are, and moves the head", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const writer = yield* opened()
      const { events } = yield* writer.write({ payloads: [`{"a": 1}`, `{ "b":2 }`, "[]"], mark: markOf(), wakeAt: 77 })
      assert.deepStrictEqual(yield* store.read(writer.streamId, { after: 0, limit: 10 }), events.map(stored))
      const head = Option.getOrThrow(yield* store.head(writer.streamId))
      const last = events.at(-1)!
      const expected = [3, last.chain, last.recordedAt, 77]
      assert.deepStrictEqual([head.version, head.chain, head.lastRecordedAt, head.wakeAt], expected)
      yield* writer.write()
      assert.strictEqual(Option.getOrThrow(yield* store.head(writer.streamId)).wakeAt, null)
    })
  )

  it.effect("refuses an unexpected version, on both sides", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const writer = yield* opened()
      yield* writer.write({ payloads: ["1", "2"] })
      for (const version of [0, 1, 3]) {
        const reason = yield* reasonOf(store.append(writer.plan({ at: { version } })))
        assert.deepStrictEqual(reason, { _tag: "VersionConflict", version: 2 })
      }
      assert.lengthOf(yield* store.read(writer.streamId, { after: 0, limit: 10 }), 2)
    })
  )

  it.effect("refuses an older epoch, and says so before anything else", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const writer = yield* opened()
      const mark = markOf()
      yield* writer.write({ mark })
      yield* store.claim(writer.streamId)
      for (const at of [{}, { version: 0 }, { version: 9 }]) {
        const reason = yield* reasonOf(store.append(writer.plan({ at, mark })))
        assert.deepStrictEqual(reason, { _tag: "Fenced", epoch: 2 })
      }
      const onlyRejections = writer.plan({ payloads: [], rejections: [rejectionOf(newCommandId(), 1)] })
      assert.strictEqual((yield* reasonOf(store.append(onlyRejections)))._tag, "Fenced")
      assert.strictEqual((yield* reasonOf(store.append(writer.plan({ at: { epoch: 3 } }))))._tag, "Fenced")
    })
  )

  it.effect("refuses streams that nobody opened, and those of another workspace, alike", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const { streamId } = yield* opened()
      for (const stranger of [new LogWriter(), new LogWriter({ streamId })]) {
        const reason = yield* reasonOf(store.append(stranger.plan({ at: { epoch: 1 } })))
        assert.deepStrictEqual(reason, { _tag: "NoStream" })
      }
    })
  )

  it.effect("refuses inputs that were taken before, names them, and takes nothing of the append", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const [writer, other] = [yield* opened(), yield* opened()]
      const [one, two, three] = [newInputId(), newInputId(), newInputId()]
      yield* writer.write({ mark: markOf(), inputIds: [one, two] })
      const again = yield* reasonOf(store.append(writer.plan({ mark: markOf(), inputIds: [three, two, one] })))
      assert.strictEqual(again._tag, "InputTaken")
      assert.sameMembers(again._tag === "InputTaken" ? [...again.inputIds] : [], [one, two])
      assert.strictEqual(Option.getOrThrow(yield* store.head(writer.streamId)).version, 1)
      // Neither did that append take what was new in it, nor is an id taken in another stream.
      yield* writer.write({ mark: markOf(), inputIds: [three] })
      yield* other.write({ mark: markOf(), inputIds: [one] })
      const twice = yield* reasonOf(store.append(writer.plan({ mark: markOf(), inputIds: [three, three] })))
      assert.strictEqual(twice._tag, "BadData")
    })
  )

  it.effect("says that a command came again before it says so of its inputs", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const writer = yield* opened()
      const [mark, input] = [markOf(), newInputId()]
      yield* writer.write({ mark, inputIds: [input] })
      const reason = yield* reasonOf(store.append(writer.plan({ mark, inputIds: [input] })))
      assert.deepStrictEqual(reason, { _tag: "Duplicate", commandIds: [mark.commandId] })
    })
  )

  it.effect("refuses commands that were accepted or rejected before, and tells how they were answered", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const writer = yield* opened()
      const [accepted, rejected, fresh] = [markOf(), markOf(), markOf()]
      yield* writer.write({ mark: accepted, payloads: ["1", "2"], rejections: [rejectionOf(rejected.commandId, 0)] })
      for (const mark of [accepted, rejected]) {
        const expected = { _tag: "Duplicate", commandIds: [mark.commandId] } as const
        assert.deepStrictEqual(yield* reasonOf(store.append(writer.plan({ mark }))), expected)
        const rejections = [rejectionOf(mark.commandId, 2), rejectionOf(fresh.commandId, 2)]
        assert.deepStrictEqual(yield* reasonOf(store.append(writer.plan({ payloads: [], rejections }))), expected)
      }
      const ids = [accepted.commandId, rejected.commandId, fresh.commandId]
      assert.sameDeepMembers(
        [...(yield* store.receipts(writer.streamId, ids))],
        [
          { _tag: "Accepted", commandId: accepted.commandId, digest: accepted.digest, seq: 1 },
          { _tag: "Rejected", commandId: rejected.commandId, digest: sha256("{}"), reason: `{"_tag":"No"}` }
        ]
      )
      assert.deepStrictEqual(yield* store.receipts((yield* opened()).streamId, ids), [])
      assert.deepStrictEqual(yield* store.receipts(writer.streamId, []), [])
    })
  )

  it.effect("takes the same command id in another stream", () =>
    Effect.gen(function* () {
      const mark = markOf()
      yield* (yield* opened()).write({ mark })
      yield* (yield* opened()).write({ mark })
    })
  )

  it.effect("stores rejections alone, without a version of their own", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const writer = yield* opened()
      yield* writer.write()
      const rejection = rejectionOf(newCommandId(), 1)
      yield* writer.write({ payloads: [], rejections: [rejection], wakeAt: 5 })
      const head = Option.getOrThrow(yield* store.head(writer.streamId))
      assert.deepStrictEqual([head.version, head.chain, head.wakeAt], [1, writer.tail.chain, 5])
      assert.lengthOf(yield* store.receipts(writer.streamId, [rejection.commandId]), 1)
    })
  )

  it.effect("is all or nothing", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const writer = yield* opened()
      const known = markOf()
      yield* writer.write({ mark: known, wakeAt: 1 })
      const before = yield* store.head(writer.streamId)
      const mark = markOf()
      const rejections = [rejectionOf(known.commandId, 1)]
      const append = writer.plan({ payloads: ["1", "2", "3"], mark, rejections, wakeAt: 2, summary: summaryOf() })
      assert.strictEqual((yield* reasonOf(store.append(append)))._tag, "Duplicate")
      assert.deepStrictEqual(yield* store.head(writer.streamId), before)
      assert.lengthOf(yield* store.read(writer.streamId, { after: 0, limit: 10 }), 1)
      assert.deepStrictEqual(yield* store.receipts(writer.streamId, [mark.commandId]), [])
    })
  )

  it.effect("lets one session of a workspace have an external key, until it is deleted", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const workspaceId = newWorkspaceId()
      const [first, second] = [yield* opened({ workspaceId }), yield* opened({ workspaceId })]
      const summary = summaryOf({ externalThreadKey: "C123" })
      yield* first.write({ summary })
      yield* (yield* opened()).write({ summary })
      assert.deepStrictEqual(yield* reasonOf(store.append(second.plan({ summary }))), { _tag: "ExternalKeyTaken" })
      yield* first.write({ summary: { ...summary, deletedAt: 5 } })
      yield* second.write({ summary })
    })
  )

  it.effect("commits a thousand appends to as many streams", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const workspaceId = newWorkspaceId()
      const opening = Array.from({ length: 1_000 }, () => opened({ workspaceId }))
      const writers = yield* Effect.all(opening, { concurrency: 8 })
      const write = (writer: LogWriter) => writer.write({ mark: markOf(), summary: summaryOf() })
      yield* Effect.forEach(writers, write, { concurrency: "unbounded", discard: true })
      const versions = yield* store.versions(writers.map(({ streamId }) => streamId))
      assert.strictEqual(versions.size, 1_000)
      assert.isTrue([...versions.values()].every((version) => version === 1))
    })
  )

  it.effect("keeps the order of appends to one stream that are sent at once", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const writer = yield* opened()
      const plans = Array.from({ length: 50 }, () => {
        const append = writer.plan({ payloads: ["1", "2"] })
        writer.advance(append.events)
        return append
      })
      yield* Effect.forEach(plans, store.append, { concurrency: "unbounded", discard: true })
      const events = yield* store.read(writer.streamId, { after: 0, limit: 1_000 })
      assert.strictEqual(events.length, 100)
      assert.strictEqual(verify(events), writer.tail.chain)
    })
  )

  it.effect("accepts one of many that append at the same version", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const writer = yield* opened()
      const plans = Array.from({ length: 30 }, () => writer.plan())
      const append = (plan: (typeof plans)[number]) => Effect.exit(store.append(plan))
      const exits = yield* Effect.forEach(plans, append, { concurrency: "unbounded" })
      assert.strictEqual(exits.filter(Exit.isSuccess).length, 1)
      assert.lengthOf(yield* store.read(writer.streamId, { after: 0, limit: 100 }), 1)
    })
  )

  it.effect("finishes what others wait for when a caller goes away", () =>
    Effect.gen(function* () {
      const writers = yield* Effect.all(
        Array.from({ length: 100 }, () => opened()),
        { concurrency: 8 }
      )
      const fibers = yield* Effect.forEach(writers, (writer) => Effect.forkChild(writer.write()))
      yield* Effect.yieldNow
      yield* Effect.forEach(
        fibers.filter((_, index) => index % 2 === 0),
        Fiber.interrupt
      )
      const exits = yield* Effect.forEach(fibers, Fiber.await)
      assert.isTrue(exits.every((exit, index) => index % 2 === 0 || Exit.isSuccess(exit)))
    })
  )
}
