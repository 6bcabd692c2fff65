import * as PgConnection from "@effect/sql-pg/PgConnection"
import { Effect, type Redacted } from "effect"
import { startOwnPostgres } from "../../../e2e/support/OwnPostgres.ts"
import { sleep, TestCluster } from "../../../packages/server/test/support/TestCluster.ts"
import type { Result } from "../../harness/Result.ts"
import type { Bench, Context } from "../../harness/Suite.ts"
import { p95 } from "./percentile.ts"

const nodesCount = 2
const sessionsCount = 6
const patienceMs = 60_000

/** When the server first answers a query. */
const acceptsAt = async (url: Redacted.Redacted): Promise<number> => {
  const ask = Effect.scoped(Effect.flatMap(PgConnection.make({ url }), (connection) => connection.query("SELECT 1")))
  for (const deadline = performance.now() + patienceMs; performance.now() < deadline; await sleep(5)) {
    if (await Effect.runPromise(Effect.isSuccess(ask))) return performance.now()
  }
  throw new Error("the database did not come back")
}

/** The database ends as by `pg_ctl -m immediate`, and comes back a moment later or after the nodes began to give up on it. */
const run = async ({ calibrate, quick, say }: Context): Promise<ReadonlyArray<Result>> => {
  const postgres = await startOwnPostgres()
  const cluster = new TestCluster({ name: "troupe", ...postgres })
  const calibration = await calibrate()
  const first: Array<number> = []
  const each: Array<number> = []
  try {
    const nodes = await Promise.all(Array.from({ length: nodesCount }, () => cluster.add()))
    await cluster.settled(nodes)
    const sessions = await Promise.all(Array.from({ length: sessionsCount }, (_, i) => cluster.open(nodes[i % 2]!)))
    for (let round = 0; round < (quick ? 2 : 10); round++) {
      const writers = sessions.map((session, index) => cluster.keepUpdating(nodes[index % 2]!, session))
      await sleep(1_000)
      await postgres.crash()
      await sleep(round % 2 === 0 ? 0 : 3_000)
      const accepting = acceptsAt(postgres.superuserUrl)
      const restarting = postgres.restart()
      const since = await accepting
      await restarting
      const waits = await Promise.all(writers.map((writer) => writer.firstAfter(since, patienceMs)))
      first.push(Math.min(...waits))
      each.push(...waits)
      await Promise.all(writers.map((writer) => writer.stop()))
      say(
        `  round ${round + 1}: first commit ${Math.min(...waits).toFixed(0)} ms, every session ${Math.max(...waits).toFixed(0)} ms`
      )
    }
    return [
      p95("the database crashed and is back: first commit", first, 1_000, calibration),
      p95("the database crashed and is back: every session", each, 3_000, calibration)
    ]
  } finally {
    await cluster.end()
    await postgres.close()
  }
}

export const restart: Bench = { id: "P10", about: "a database that crashes and comes back", run }
