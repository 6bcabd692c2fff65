import * as PgClient from "@effect/sql-pg/PgClient"
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import { toUuid } from "@troupe/domain/Ids"
import { Effect, Exit, ManagedRuntime, Scope } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import { requires } from "../../../../test/requires.ts"
import type { NodeProcess } from "../support/NodeProcess.ts"
import { eventually, sleep, TestCluster } from "../support/TestCluster.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const full = process.env["TROUPE_FULL"] === "1"
const soakMs = full ? 600_000 : 15_000
const writersMax = 48

requires("postgres")("nodes under full load", () => {
  let cluster: TestCluster
  let nodes: ReadonlyArray<NodeProcess>
  let sql: ManagedRuntime.ManagedRuntime<PgClient.PgClient | SqlClient, unknown>
  const scope = Scope.makeUnsafe()

  beforeAll(async () => {
    const database = await Effect.runPromise(Effect.provideService(TestDatabase.make(), Scope.Scope, scope))
    sql = ManagedRuntime.make(PgClient.layer({ url: database.superuserUrl, maxConnections: 2 }))
    cluster = new TestCluster(database)
    nodes = await Promise.all([cluster.add(), cluster.add(), cluster.add()])
    // A shard that is still on its way to a node that came late is no takeover.
    await cluster.settled(nodes, 3_000)
  })

  afterAll(async () => {
    await cluster?.end()
    await sql?.dispose()
    await Effect.runPromise(Scope.close(scope, Exit.void))
  })

  const epochs = (sessions: ReadonlyArray<string>) =>
    sql.runPromise(
      Effect.flatMap(
        PgClient.PgClient,
        (client) =>
          client<{
            epoch: number
          }>`SELECT epoch FROM heads WHERE stream_id IN ${client.in(sessions.map((id) => toUuid(id)!))} ORDER BY stream_id`
      )
    )

  it("take nothing over from each other while all of them live", { timeout: soakMs + 300_000 }, async () => {
    const sessions = await Promise.all(
      Array.from({ length: writersMax }, (_, index) => cluster.open(nodes[index % nodes.length]!))
    )
    const before = await epochs(sessions)
    // No pause between commands: processors are what there is least of, as when owners are late with their heartbeats.
    const writers = sessions.map((session, index) =>
      cluster.keepUpdating(nodes[(index + 1) % nodes.length]!, session, 0)
    )
    await sleep(soakMs)
    await eventually(async () => writers.every(({ accepted }) => accepted.length > 5), "every session moves", 60_000)
    await Promise.all(writers.map((writer) => writer.stop()))
    assert.deepStrictEqual(
      writers.flatMap(({ failed }) => failed),
      []
    )
    assert.deepStrictEqual(await epochs(sessions), before)
    const commands = writers.reduce((sum, { accepted }) => sum + accepted.length, 0)
    console.log(`commands without a takeover: ${commands} in ${Math.round(soakMs / 1_000)} s`)
  })
})
