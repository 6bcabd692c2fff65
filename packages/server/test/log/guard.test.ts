import { assert, layer } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as PgConnection from "@effect/sql-pg/PgConnection"
import { toUuid } from "@troupe/domain/Ids"
import { Effect, Layer, Option, Redacted, Result } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { join } from "node:path"
import { EventStore } from "../../src/log/EventStore.ts"
import * as EventStorePg from "../../src/log/EventStorePg.ts"
import { migrate } from "../../src/postgres/Migrator.ts"
import { LogWriter, markOf, newCommandId, opened, rejectionOf, summaryOf } from "../support/LogWriter.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { reasonOf, verify } from "./conformance/judging.ts"

type Rows = ReadonlyArray<Record<string, unknown>>

/** Runs statements one after the other with a connection of their own, as somebody; answers the last one's rows. */
const runAs =
  (url: Redacted.Redacted) =>
  (...statements: ReadonlyArray<string>): Effect.Effect<Rows, SqlError> =>
    Effect.gen(function* () {
      const connection = yield* PgConnection.make({ url })
      let rows: Rows = []
      for (const statement of statements) ({ rows } = yield* connection.query(statement, [], false))
      return rows
    }).pipe(Effect.scoped)

/** A database that belongs to a role without any rights over others, which does everything. */
const soloDatabase = Effect.gen(function* () {
  const { name: beside, superuserUrl } = yield* TestDatabase
  const name = `${beside}_solo`
  const superuser = runAs(superuserUrl)
  const url = new URL(Redacted.value(superuserUrl))
  url.username = name
  url.password = "solo"
  url.pathname = `/${name}`
  yield* Effect.acquireRelease(
    superuser(`CREATE ROLE ${name} LOGIN PASSWORD 'solo'`, `CREATE DATABASE ${name} OWNER ${name}`),
    () => Effect.orDie(superuser(`DROP DATABASE ${name} WITH (FORCE)`, `DROP ROLE ${name}`))
  )
  const client = PgClient.layer({ url: Redacted.make(url.href) })
  yield* migrate({ directory: join(import.meta.dirname, "../../../../migrations") }).pipe(
    Effect.provide([client, NodeServices.layer])
  )
  return { client, run: runAs(Redacted.make(url.href)) }
})

const everyone = Effect.map(TestDatabase, ({ appUrl, ownerUrl, superuserUrl }) => ({
  app: runAs(appUrl),
  owner: runAs(ownerUrl),
  superuser: runAs(superuserUrl)
}))

const refused = (name: string, effect: Effect.Effect<unknown, SqlError>) =>
  Effect.map(Effect.result(effect), (result) => {
    assert.isTrue(Result.isFailure(result), `${name}: was allowed`)
    const cause: unknown = Result.isFailure(result) ? result.failure.reason.cause : null
    assert.strictEqual((cause as { code?: string }).code, "42501", `${name}: ${String(cause)}`)
  })

const tampering = (id: string) => [
  `UPDATE events SET payload = '{"forged":true}' WHERE stream_id = '${id}'`,
  `UPDATE events SET payload = NULL, salt = NULL WHERE stream_id = '${id}'`,
  `UPDATE events SET recorded_at = 0 WHERE stream_id = '${id}'`,
  `DELETE FROM events WHERE stream_id = '${id}'`,
  "TRUNCATE events",
  "TRUNCATE events CASCADE",
  "UPDATE redactions SET reason = 'nothing happened'",
  "DELETE FROM redactions",
  "TRUNCATE redactions",
  `WITH record AS (
    INSERT INTO redactions (stream_id, kind, version, chain, reason, actor) VALUES ('${id}', 'stream', 1, '', 'forged', 'me')
  ) DELETE FROM events WHERE stream_id = '${id}'`
]

const written = Effect.gen(function* () {
  const store = yield* EventStore
  const writer = yield* opened()
  const rejected = rejectionOf(newCommandId(), 0)
  yield* writer.write({
    payloads: [`{"secret":1}`, `{"secret":2}`, `{"secret":3}`],
    mark: markOf(newCommandId(), `{"secret":0}`),
    rejections: [{ ...rejected, body: `{"secret":4}` }],
    summary: summaryOf()
  })
  yield* store.saveSnapshot({ streamId: writer.streamId, foldVersion: 1, version: 3, state: "secret" })
  return { writer, rejected, id: toUuid(writer.streamId)! }
})

const TestStore = EventStorePg.layer.pipe(
  Layer.provide(TestDatabase.layerApp()),
  Layer.provideMerge(TestDatabase.layer()),
  Layer.orDie
)

layer(TestStore, { excludeTestServices: true })("what is written once", (it) => {
  it.effect("is changed by nobody: application, owner or superuser", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const { id, writer } = yield* written
      const before = yield* store.read(writer.streamId, { after: 0, limit: 10 })
      const users = yield* everyone
      for (const [name, run] of Object.entries(users)) {
        for (const statement of tampering(id)) yield* refused(`${name}: ${statement}`, run(statement))
      }
      yield* refused("a replica", users.superuser("SET session_replication_role = replica", "DELETE FROM events"))
      assert.deepStrictEqual(yield* store.read(writer.streamId, { after: 0, limit: 10 }), before)
    })
  )

  it.effect("may be read and added to by the application, and the rest only as far as it must", () =>
    Effect.gen(function* () {
      const { app } = yield* everyone
      const { id } = yield* written
      const forbidden = [
        "DELETE FROM heads",
        "DELETE FROM sessions",
        `DELETE FROM rejections WHERE stream_id = '${id}'`,
        "UPDATE rejections SET body = NULL",
        "DELETE FROM blobs",
        "UPDATE blobs SET bytes = ''",
        "ALTER TABLE events DISABLE TRIGGER events_written_once",
        "DROP TABLE events",
        "CREATE TABLE mine (id int)",
        "CREATE OR REPLACE FUNCTION troupe_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "SET ROLE troupe_redactor",
        "SET ROLE troupe_owner"
      ]
      for (const statement of forbidden) yield* refused(statement, app(statement))
      assert.lengthOf(yield* app("SELECT 1 FROM redactions LIMIT 0"), 0)
    })
  )

  it.effect("loses the content of one event to a redaction, which is recorded, and keeps its proof", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const { app } = yield* everyone
      const { id, writer } = yield* written
      const redact = (seq: number) =>
        app(
          `SELECT troupe_redact_event('${id}', ${seq}, '{"secret":null}', 1, '{"blank":true}', 'a password', 'member x') AS done`
        )
      assert.deepStrictEqual(yield* redact(1), [{ done: true }])
      assert.deepStrictEqual(yield* redact(1), [{ done: false }])
      assert.deepStrictEqual(yield* redact(99), [{ done: false }])
      const events = yield* store.read(writer.streamId, { after: 0, limit: 10 })
      const contents = events.map(({ payload, salt }) => [payload, salt === null])
      assert.deepStrictEqual(contents, [
        [`{"secret":null}`, true],
        [`{"secret":2}`, false],
        [`{"secret":3}`, false]
      ])
      assert.strictEqual(verify(events), writer.tail.chain)
      assert.isTrue(Option.isNone(yield* store.snapshot(writer.streamId, 1)))
      // Somebody who had folded it before, and does not know, leaves nothing of it here.
      const folded = { streamId: writer.streamId, foldVersion: 1, state: "secret" }
      yield* store.saveSnapshot({ ...folded, version: 3 })
      assert.isTrue(Option.isNone(yield* store.snapshot(writer.streamId, 1)))
      const answered = yield* store.commands(writer.streamId, { after: null, limit: 10 })
      assert.deepStrictEqual(
        answered.map(({ body }) => body),
        [`{"secret":4}`, `{"blank":true}`]
      )
      assert.deepStrictEqual(
        yield* app(`SELECT kind, seq, version, reason, actor FROM redactions WHERE stream_id = '${id}'`),
        ["event", "mark"].map((kind) => ({ kind, seq: 1, version: 3, reason: "a password", actor: "member x" }))
      )
      // The owner of the stream goes on, and a retry of the command still gets its answer.
      yield* writer.write()
      yield* store.saveSnapshot({ ...folded, version: 4 })
      assert.isTrue(Option.isSome(yield* store.snapshot(writer.streamId, 1)))
      assert.lengthOf(yield* store.receipts(writer.streamId, [answered[1]!.commandId]), 1)
    })
  )

  it.effect("loses the body of a rejected command likewise", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const { app } = yield* everyone
      const { id, rejected, writer } = yield* written
      const command = toUuid(rejected.commandId)!
      const redact = app(`SELECT troupe_redact_command('${id}', '${command}', 'a password', 'x') AS done`)
      assert.deepStrictEqual(yield* redact, [{ done: true }])
      assert.deepStrictEqual(yield* redact, [{ done: false }])
      const answered = yield* store.commands(writer.streamId, { after: null, limit: 1 })
      assert.strictEqual(answered[0]!.body, null)
      assert.lengthOf(yield* store.receipts(writer.streamId, [rejected.commandId]), 1)
    })
  )

  it.effect("goes as a whole when its stream is purged, and its owner is stopped", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const { app } = yield* everyone
      const { id, writer } = yield* written
      const other = yield* written
      const purge = app(`SELECT troupe_purge_stream('${id}', 'retention', 'housekeeping') AS gone`)
      assert.deepStrictEqual(yield* purge, [{ gone: 3 }])
      assert.deepStrictEqual(yield* purge, [{ gone: 0 }])
      assert.deepStrictEqual(yield* store.read(writer.streamId, { after: 0, limit: 10 }), [])
      assert.deepStrictEqual(yield* store.commands(writer.streamId, { after: null, limit: 10 }), [])
      assert.lengthOf(yield* app(`SELECT FROM sessions WHERE session_id = '${id}'`), 0)
      assert.strictEqual((yield* reasonOf(store.append(writer.plan())))._tag, "NoStream")
      yield* store.saveSnapshot({ streamId: writer.streamId, foldVersion: 1, version: 3, state: "secret" })
      assert.isTrue(Option.isNone(yield* store.snapshot(writer.streamId, 1)))
      const left = yield* app(
        `SELECT kind, version, encode(chain, 'hex') AS chain FROM redactions WHERE stream_id = '${id}'`
      )
      assert.deepStrictEqual(left, [{ kind: "stream", version: 3, chain: writer.tail.chain }])
      assert.lengthOf(yield* store.read(other.writer.streamId, { after: 0, limit: 10 }), 3)
    })
  )

  it.effect("is changed by nobody where one role does everything, unless it is on record", () =>
    Effect.gen(function* () {
      const { client, run } = yield* soloDatabase
      const writer = new LogWriter()
      const writing = Effect.andThen(writer.open, writer.write({ payloads: ["1", "2"] }))
      yield* Effect.provide(writing, Layer.fresh(EventStorePg.layer).pipe(Layer.provide(client)))
      const id = toUuid(writer.streamId)!
      assert.lengthOf(yield* run("SELECT FROM events"), 2)
      for (const statement of tampering(id).slice(0, 9)) yield* refused(statement, run(statement))
      const redact = `SELECT troupe_redact_event('${id}', 1, '{}', NULL, NULL, 'why', 'who') AS done`
      assert.deepStrictEqual(yield* run(redact), [{ done: true }])
      assert.deepStrictEqual(yield* run(`SELECT troupe_purge_stream('${id}', 'why', 'who') AS gone`), [{ gone: 2 }])
      assert.lengthOf(yield* run("SELECT FROM redactions"), 2)
    })
  )
})
