import { assert, layer } from "@effect/vitest"
import { toUuid } from "@troupe/domain/Ids"
import * as Codec from "@troupe/domain/session/Codec"
import { evolve } from "@troupe/domain/session/evolve"
import { initial, type SessionState } from "@troupe/domain/session/SessionState"
import { Effect, Layer, Result } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { readFileSync } from "node:fs"
import { queues } from "../../src/fleet/queues.ts"
import { EventStore } from "../../src/log/EventStore.ts"
import * as EventStorePg from "../../src/log/EventStorePg.ts"
import { Minting } from "../../src/log/Minting.ts"
import * as Projector from "../../src/log/Projector.ts"
import { record } from "../../src/log/Recorder.ts"
import { waitingProjection } from "../../src/turns/waitingProjection.ts"
import { waitingIn } from "../../../../e2e/invariants/tables.ts"
import { LogWriter, minting, newCommandId, sha256 } from "../support/LogWriter.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const World = EventStorePg.layer.pipe(
  Layer.provide(Minting.layer),
  Layer.provideMerge(TestDatabase.layerApp({ maxConnections: 5 })),
  Layer.provideMerge(TestDatabase.layer()),
  Layer.orDie
)

interface Fact {
  readonly type: string
  readonly version: number
  readonly threadId: never
  readonly payload: string
}

/** A log in which turns queue, are let begin, moved, withdrawn, steered with, tried again, and wait for runners. */
const golden: ReadonlyArray<Fact> = readFileSync(
  new URL("../../../domain/test/golden/v0.1.0.jsonl", import.meta.url),
  "utf8"
)
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Fact & { readonly kind: string })
  .filter(({ kind }) => kind === "event")

const tell = (writer: LogWriter, facts: ReadonlyArray<Fact>) =>
  Effect.gen(function* () {
    const store = yield* EventStore
    const { epoch, streamId, tail, workspaceId } = writer
    const stream = "session" as const
    const pen = { stream, streamId, workspaceId, epoch, nowMicros: Date.now() * 1_000, sha256, minting }
    const cause = { causationId: newCommandId(), correlationId: minting.salt(), actorText: `{"type":"system"}`, at: 0 }
    const { events } = record(
      pen,
      tail,
      cause,
      facts.map(({ payload, threadId, type, version }) => ({ payload, threadId, type, version })),
      null
    )
    const append = { stream, streamId, workspaceId, epoch, expectedVersion: tail.version, events }
    yield* store.append({ ...append, rejections: [], inputIds: [], wakeAt: null, summary: null })
    writer.advance(events)
  })

const catchUp = (limit: number) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const [now] = yield* sql<{ readonly xid: string }>`SELECT pg_current_xact_id()::text AS xid`
    const above = sql`SELECT WHERE pg_snapshot_xmin(pg_current_snapshot()) > ${now!.xid}::xid8`
    while ((yield* above).length === 0) yield* Effect.sleep(5)
    while ((yield* Projector.step(waitingProjection, limit))._tag !== "CaughtUp") yield* Effect.yieldNow
  })

const rowsOf = (writer: LogWriter) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql<{ readonly text: string }>`
      SELECT turn_id || ' ' || waits_for AS text FROM waiting_turns WHERE session_id = ${toUuid(writer.streamId)!}`
    return rows.map(({ text }) => text)
  })

layer(World, { excludeTestServices: true, timeout: "60 seconds" })("The queues", (it) => {
  it.effect("have what waits by the session's own rules, wherever the log is cut", () =>
    Effect.gen(function* () {
      const kinds = new Set<string>()
      // Cuts of one event, which leave nothing out, and of several, taken by steps of two.
      for (const sizes of [[1], [2, 3, 4]]) {
        const writer = new LogWriter()
        yield* writer.open
        let state: SessionState = initial
        let seen = 0
        for (let cut = 0; seen < golden.length; cut++) {
          const facts = golden.slice(seen, seen + sizes[cut % sizes.length]!)
          yield* tell(writer, facts)
          for (const { payload, type, version } of facts) {
            const stored = { streamId: "", seq: ++seen, type, version, payload }
            const event = Codec.decodeFast(stored)
            if (Result.isSuccess(event)) state = evolve(state, event.success)
          }
          yield* catchUp(2)
          const expected = waitingIn(state)
          for (const one of expected) kinds.add(one.split(" ")[1]!)
          assert.sameMembers([...(yield* rowsOf(writer))], [...expected], `after event ${seen}`)
        }
      }
      assert.sameMembers([...kinds], ["turn", "person", "runner"])
    })
  )

  it.effect("are counted over all sessions, with how long the oldest has waited", () =>
    Effect.gen(function* () {
      const none = { turns: 0, oldest_ms: null }
      const before = yield* queues()
      assert.deepStrictEqual(before.person, none)
      const queued = golden.findIndex(({ type }) => type === "TurnQueued") + 1
      for (const _ of [1, 2]) {
        const writer = new LogWriter()
        yield* writer.open
        yield* tell(writer, golden.slice(0, queued))
      }
      yield* catchUp(500)
      const { runner, turn } = yield* queues()
      assert.strictEqual(turn.turns, before.turn.turns + 2)
      assert.isAtLeast(turn.oldest_ms!, 0)
      assert.deepStrictEqual(runner, before.runner)
    })
  )

  it.effect("keep nothing of a session that has ended, nor of a thread", () =>
    Effect.gen(function* () {
      const queued = golden.findIndex(({ type }) => type === "TurnQueued") + 1
      const threadId = golden[queued - 1]!.threadId
      const endings = [
        { type: "SessionDeleted", payload: JSON.stringify({ at: 1 }) },
        { type: "ThreadArchived", payload: JSON.stringify({ threadId }) }
      ]
      for (const { payload, type } of endings) {
        const writer = new LogWriter()
        yield* writer.open
        yield* tell(writer, golden.slice(0, queued))
        yield* catchUp(500)
        assert.lengthOf(yield* rowsOf(writer), 1)
        yield* tell(writer, [{ type, version: 1, threadId: null as never, payload }])
        yield* catchUp(500)
        assert.lengthOf(yield* rowsOf(writer), 0, type)
      }
    })
  )
})
