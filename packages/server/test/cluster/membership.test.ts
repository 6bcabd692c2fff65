import * as PgClient from "@effect/sql-pg/PgClient"
import { assert, layer } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Scope } from "effect"
import * as Runner from "effect/cluster/Runner"
import * as RunnerAddress from "effect/cluster/RunnerAddress"
import { RunnerStorage } from "effect/cluster/RunnerStorage"
import * as ShardId from "effect/cluster/ShardId"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as SqlRunnerStorage from "effect/cluster/SqlRunnerStorage"
import * as SqlClient from "effect/sql/SqlClient"
import * as Membership from "../../src/cluster/Membership.ts"
import { NodeLock } from "../../src/cluster/NodeLock.ts"
import { lockExpirationMs, lockRefreshMs } from "../../src/cluster/shards.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const shard = (id: number) => ShardId.make("default", id)

/** A member that is made and unmade within a test, with connections of its own like a process. */
const member = Effect.fnUntraced(function* (port: number) {
  const { appUrl } = yield* TestDatabase
  const scope = yield* Scope.make()
  const runner = Runner.make({ address: RunnerAddress.make("127.0.0.1", port), groups: ["default"], weight: 1 })
  const context = yield* Membership.layer.pipe(
    Layer.provideMerge(NodeLock.layer({ url: appUrl, release: "test", reads: 1 })),
    Layer.provide(PgClient.layer({ url: appUrl, applicationName: `member ${port}`, maxConnections: 4 })),
    Layer.provide(
      ShardingConfig.layer({ shardLockExpiration: lockExpirationMs, shardLockRefreshInterval: lockRefreshMs })
    ),
    Layer.buildWithScope(scope)
  )
  yield* Effect.addFinalizer((exit) => Scope.close(scope, exit))
  const storage = Context.get(context, RunnerStorage)
  yield* storage.register(runner, true)
  return {
    storage,
    lock: Context.get(context, NodeLock),
    address: runner.address,
    ports: Effect.map(storage.getRunners, (runners) => runners.map(([one]) => one.address.port).sort())
  }
})

const lockPid = (port: number) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) =>
      sql<{ pid: number }>`
      SELECT pid FROM pg_locks JOIN nodes ON lock_key = objid::bigint AND objsubid = 2
      WHERE locktype = 'advisory' AND address = ${`127.0.0.1:${port}`}`
  ).pipe(Effect.map((rows) => rows[0]?.pid))

/** Ends the connection that holds a member's lock, as the end of its process would. */
const cut = Effect.fnUntraced(function* (port: number) {
  const sql = yield* SqlClient.SqlClient
  const pid = yield* lockPid(port)
  yield* sql`SELECT pg_terminate_backend(${pid}, 2000)`
})

const eventually = <E, R>(condition: Effect.Effect<boolean, E, R>, what: string) =>
  condition.pipe(
    Effect.tap((met) => (met ? Effect.void : Effect.sleep(20))),
    Effect.repeat({ until: (met) => met }),
    Effect.timeoutOrElse({ duration: 8_000, orElse: () => Effect.die(new Error(`never: ${what}`)) })
  )

const superuser = Layer.unwrap(
  Effect.map(TestDatabase, ({ superuserUrl }) => PgClient.layer({ url: superuserUrl, maxConnections: 2 }))
)

layer(superuser.pipe(Layer.provideMerge(TestDatabase.layer())), { excludeTestServices: true })("Membership", (it) => {
  it.effect("lists members whose lock is held, and no other", () =>
    Effect.gen(function* () {
      const a = yield* member(1001)
      const gone = yield* Effect.scoped(
        Effect.gen(function* () {
          const b = yield* member(1002)
          assert.deepStrictEqual(yield* a.ports, [1001, 1002])
          return b
        })
      )
      // It ended without a word: its row is there, and its heartbeat is young.
      const sql = yield* SqlClient.SqlClient
      const rows = yield* sql`SELECT 1 FROM cluster_runners WHERE address = '127.0.0.1:1002'`
      assert.strictEqual(rows.length, 1)
      assert.deepStrictEqual(yield* a.ports, [1001])
      assert.isFalse(yield* gone.lock.held)
    })
  )

  it.effect("takes over an address from a process that died there", () =>
    Effect.gen(function* () {
      const a = yield* member(1011)
      yield* Effect.scoped(member(1012))
      yield* eventually(
        Effect.map(a.ports, (ports) => !ports.includes(1012)),
        "the node that died to be no member"
      )
      yield* member(1012)
      assert.include(yield* a.ports, 1012)
    })
  )

  it.effect("is no member after it unregistered", () =>
    Effect.gen(function* () {
      const a = yield* member(1021)
      const b = yield* member(1022)
      yield* b.storage.unregister(b.address)
      assert.notInclude(yield* a.ports, 1022)
      const sql = yield* SqlClient.SqlClient
      assert.deepStrictEqual(yield* sql`SELECT 1 FROM nodes WHERE address = '127.0.0.1:1022'`, [])
    })
  )

  it.effect("makes a new lock when its connection is cut, and never drops itself from the list", () =>
    Effect.gen(function* () {
      const a = yield* member(1031)
      const b = yield* member(1032)
      const before = yield* lockPid(1032)
      yield* cut(1032)
      assert.include(yield* b.ports, 1032)
      yield* eventually(
        Effect.map(a.ports, (ports) => ports.includes(1032)),
        "the member is back in the list"
      )
      assert.notStrictEqual(yield* lockPid(1032), before)
      assert.isTrue(yield* b.lock.await(2_000))
    })
  )

  it.effect("owns no shards while it can't have its lock, and has them again when it can", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const a = yield* member(1041)
      const shards = [shard(1), shard(2), shard(3)]
      assert.lengthOf(yield* a.storage.acquire(a.address, shards), 3)
      assert.lengthOf(yield* a.storage.refresh(a.address, shards), 3)
      // A row that can't be written keeps the node from saying where its new lock is.
      yield* sql`ALTER TABLE nodes ADD CONSTRAINT shut CHECK (lock_key < 0) NOT VALID`
      yield* cut(1041)
      yield* eventually(
        Effect.map(a.storage.refresh(a.address, shards), (kept) => kept.length === 0),
        "the shards are dropped"
      )
      assert.strictEqual((yield* Effect.exit(a.storage.acquire(a.address, shards)))._tag, "Failure")
      yield* sql`ALTER TABLE nodes DROP CONSTRAINT shut`
      yield* eventually(
        Effect.map(Effect.exit(a.storage.acquire(a.address, shards)), ({ _tag }) => _tag === "Success"),
        "the shards are acquired again"
      )
      yield* a.storage.releaseAll(a.address)
    })
  )

  it.effect("answers a refresh whose session died with no shards instead of an error", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const a = yield* member(1051)
      const shards = [shard(11), shard(12)]
      yield* a.storage.acquire(a.address, shards)
      yield* sql`SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE application_name = 'member 1051'`
      assert.deepStrictEqual(yield* a.storage.refresh(a.address, shards), [])
      yield* eventually(
        Effect.map(
          Effect.catch(a.storage.acquire(a.address, shards), () => Effect.succeed([])),
          (acquired) => acquired.length === 2
        ),
        "the shards are acquired on the new session"
      )
    })
  )

  it.effect("lets go of its shards while a refresh is under way, and has them as soon as it is let in again", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const a = yield* member(1071)
      const shards = [shard(31), shard(32)]
      const limit = (connections: number) =>
        sql.unsafe(
          `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT ${connections}', current_database()); END $$`
        )
      const seen = sql`
        SELECT 1 FROM pg_stat_activity
        WHERE application_name = 'member 1071' AND state = 'idle' AND query LIKE 'SELECT objid FROM pg_locks%'`
      yield* a.storage.acquire(a.address, shards)
      const refreshing = yield* Effect.forkChild(a.storage.refresh(a.address, shards), { startImmediately: true })
      yield* eventually(
        Effect.map(seen, (rows) => rows.length > 0),
        "the refresh has seen that all is well"
      )
      yield* Effect.acquireRelease(limit(0), () => Effect.orDie(limit(-1)))
      yield* sql`SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE application_name = 'member 1071'`
      yield* cut(1071)
      assert.deepStrictEqual(yield* Fiber.join(refreshing), [])
      // The cluster asks for those that it has let go of, while it does so with the others: it is to ask for all.
      yield* a.storage.release(a.address, shards[0]!)
      const early = yield* Effect.forkChild(Effect.exit(a.storage.acquire(a.address, shards.slice(0, 1))), {
        startImmediately: true
      })
      yield* a.storage.release(a.address, shards[1]!)
      assert.strictEqual((yield* Fiber.join(early))._tag, "Failure")
      yield* limit(-1)
      assert.isTrue(yield* a.lock.await(8_000))
      // The cluster gives it no more time.
      assert.lengthOf(yield* Effect.timeout(a.storage.acquire(a.address, shards), lockRefreshMs), 2)
    })
  )

  it.effect("waits for shards that their last owner is letting go", () =>
    Effect.gen(function* () {
      const a = yield* member(1061)
      const b = yield* member(1062)
      yield* a.storage.acquire(a.address, [shard(21), shard(22)])
      yield* Effect.forkChild(Effect.delay(a.storage.releaseAll(a.address), 250))
      assert.lengthOf(yield* b.storage.acquire(b.address, [shard(21), shard(22)]), 2)
    })
  )

  it.effect("has the tables that the library would make", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* Layer.build(SqlRunnerStorage.layerMigrations({ prefix: "reference" }))
      const columns = (prefix: string) => sql`
        SELECT replace(table_name, ${prefix}, '') AS table, column_name, data_type, character_maximum_length, is_nullable
        FROM information_schema.columns
        WHERE table_name IN (${`${prefix}_runners`}, ${`${prefix}_locks`})
        ORDER BY table_name, ordinal_position`
      assert.deepStrictEqual(yield* columns("cluster"), yield* columns("reference"))
      assert.lengthOf(yield* sql`SELECT 1 FROM reference_runner_migrations`, 1)
    })
  )
})
