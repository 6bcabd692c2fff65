import { assert, layer } from "@effect/vitest"
import * as PgClient from "@effect/sql-pg/PgClient"
import type { WorkspaceId } from "@troupe/domain/Ids"
import { Effect, Layer, Option } from "effect"
import { EventStore } from "../../src/log/EventStore.ts"
import * as EventStorePg from "../../src/log/EventStorePg.ts"
import { Minting } from "../../src/log/Minting.ts"
import { WorkspaceLog } from "../../src/log/WorkspaceLog.ts"
import { markOf, minting, newCommandId, newWorkspaceId } from "../support/LogWriter.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { stored, verify } from "./conformance/judging.ts"

const TestLog = Layer.mergeAll(WorkspaceLog.layer, EventStorePg.layer).pipe(
  Layer.provide(Minting.layer),
  Layer.provideMerge(TestDatabase.layerApp()),
  Layer.provideMerge(TestDatabase.layer()),
  Layer.orDie
)

const change = (workspaceId: WorkspaceId, ...payloads: ReadonlyArray<string>) => ({
  workspaceId,
  cause: { causationId: newCommandId(), correlationId: minting.salt(), actorText: `{"type":"system"}`, at: Date.now() },
  facts: payloads.map((payload) => ({ type: "KeyCreated", version: 1, threadId: null, payload }))
})

const eventsOf = (workspaceId: WorkspaceId) =>
  Effect.flatMap(EventStore, (store) => store.read(workspaceId, { after: 0, limit: 10_000 }))

layer(TestLog, { excludeTestServices: true })("WorkspaceLog", (it) => {
  it.effect("begins a chain with the first change, and goes on from there", () =>
    Effect.gen(function* () {
      const log = yield* WorkspaceLog
      const workspaceId = newWorkspaceId()
      assert.deepStrictEqual(yield* log.append(change(workspaceId)), [])
      const first = yield* log.append({ ...change(workspaceId, "1", "2"), mark: markOf() })
      const second = yield* log.append(change(workspaceId, "3"))
      const events = yield* eventsOf(workspaceId)
      assert.deepStrictEqual(events, [...first, ...second].map(stored))
      const store = yield* EventStore
      const head = Option.getOrThrow(yield* store.head(workspaceId))
      assert.deepStrictEqual([head.stream, head.version, head.chain], ["workspace", 3, verify(events)])
    })
  )

  it.effect("commits with the caller's table, or not at all", () =>
    Effect.gen(function* () {
      const log = yield* WorkspaceLog
      const sql = yield* PgClient.PgClient
      const workspaceId = newWorkspaceId()
      const write = (payload: string) =>
        Effect.gen(function* () {
          yield* sql`INSERT INTO snapshots VALUES (${crypto.randomUUID()}, 1, 1, ${payload})`
          yield* log.append(change(workspaceId, JSON.stringify(payload)))
        })
      yield* sql.withTransaction(write("kept"))
      yield* Effect.ignore(sql.withTransaction(Effect.andThen(write("lost"), Effect.fail("changed my mind"))))
      yield* sql.withTransaction(write("after"))
      const events = yield* eventsOf(workspaceId)
      assert.deepStrictEqual(
        events.map(({ payload }) => payload),
        [`"kept"`, `"after"`]
      )
      verify(events)
      const rows = yield* sql`SELECT state FROM snapshots WHERE state IN ('kept', 'lost', 'after') ORDER BY state`
      assert.deepStrictEqual(rows, [{ state: "after" }, { state: "kept" }])
    })
  )

  it.effect("takes turns: concurrent writers make one chain", () =>
    Effect.gen(function* () {
      const workspaceId = newWorkspaceId()
      const writer = (n: number) =>
        Effect.gen(function* () {
          const log = yield* WorkspaceLog
          const sql = yield* PgClient.PgClient
          for (let i = 0; i < 10; i++) {
            yield* sql.withTransaction(
              Effect.gen(function* () {
                yield* log.append(change(workspaceId, `[${n}, ${i}, 0]`))
                yield* Effect.sleep(Math.random() * 3)
                yield* log.append(change(workspaceId, `[${n}, ${i}, 1]`))
              })
            )
          }
        })
      yield* Effect.forEach([1, 2, 3, 4, 5, 6], writer, { concurrency: "unbounded" })
      const events = yield* eventsOf(workspaceId)
      assert.strictEqual(events.length, 120)
      verify(events)
      for (let i = 0; i < events.length; i += 2) {
        const [a, b] = [JSON.parse(events[i]!.payload!), JSON.parse(events[i + 1]!.payload!)]
        assert.deepStrictEqual([a[0], a[1], a[2], b[2]], [b[0], b[1], 0, 1])
      }
    })
  )
})
