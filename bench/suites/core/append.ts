import { Contender } from "../../harness/Contender.ts"
import type { Database } from "../../harness/Database.ts"
import { missing, pgbench, singleRow } from "../../harness/Pgbench.ts"
import { compared, type Result } from "../../harness/Result.ts"
import { interleave, type Side } from "../../harness/rounds.ts"
import type { Bench, Context } from "../../harness/Suite.ts"
import { peers } from "../../peers/install.ts"
import { loadOf, ours } from "./contenders.ts"
import { fillRows, rowsScript, rowsVariables } from "./rows.ts"

/** Against pgbench: one row, and the rows that we write. */
const budgets = [
  { inFlight: 16, single: 0.6, rows: 0.8 },
  { inFlight: 64, single: 1, rows: 1.4 },
  { inFlight: 256, single: 1.2, rows: 1.6 }
]

const unit = "appends/s"

const pgbenchSide = (context: Context, database: Database, name: string, script: string, clients: number): Side => ({
  name,
  measure: async (ms) => {
    const run = await pgbench(context.pgbench!, database, { script, clients, ms, variables: rowsVariables })
    return run.perSecond
  }
})

const run = async (context: Context): Promise<ReadonlyArray<Result>> => {
  const { pgbench: path, plan, say, server } = context
  const results: Array<Result> = []
  const single = await server.create("p1_single")
  await single.query(singleRow.table)
  const rows = await server.createMigrated("p1_rows")
  await fillRows(rows)
  const store = await ours("store", await server.createMigrated("p1_store"))
  const actors = await ours("actors", await server.createMigrated("p1_actors"))
  const emmett = await Contender.start(peers.emmett, { env: { DATABASE_URL: (await server.create("p1_emmett")).url } })
  const dbos = await Contender.start(peers.dbos, { env: { DATABASE_URL: (await server.create("p1_dbos")).url } })
  try {
    for (const budget of budgets) {
      const { inFlight } = budget
      const sides: Array<Side> = [loadOf("store", store, "append", inFlight)]
      if (path !== undefined) {
        sides.push(pgbenchSide(context, single, "pgbench", singleRow.script, inFlight))
        sides.push(pgbenchSide(context, rows, "pgbench rows", rowsScript, inFlight))
      }
      if (inFlight === 16) {
        sides.push(
          loadOf("emmett", emmett, "append", inFlight),
          loadOf("actor", actors, "direct", inFlight),
          loadOf("entity", actors, "entity", inFlight),
          loadOf("DBOS", dbos, "workflows", inFlight, { steps: 1 })
        )
      }
      say(`  ${inFlight} in flight`)
      const values = await interleave(sides, plan, say)
      const compare = (side: string, metric: string, peer: string, peerName: string, atLeast: number) => {
        const subject = { id: "P1", metric: `${metric}, ${inFlight} in flight`, unit }
        results.push(compared(subject, values.get(side)!, peerName, values.get(peer)!, { atLeast }))
      }
      if (path !== undefined) {
        compare("store", "event store", "pgbench", "pgbench, one row", budget.single)
        compare("store", "event store", "pgbench rows", "pgbench, same rows", budget.rows)
      }
      if (inFlight !== 16) continue
      compare("store", "event store", "emmett", "emmett-postgresql", 4)
      compare("actor", "command path, actor", "emmett", "emmett-postgresql", 3)
      compare("actor", "command path, actor", "DBOS", "DBOS, one step", 12)
      compare("entity", "command path, entity", "emmett", "emmett-postgresql", 3)
      compare("entity", "command path, entity", "DBOS", "DBOS, one step", 12)
    }
    if (path === undefined) say(`  Skipped the comparisons with pgbench: ${missing}`)
  } finally {
    await Promise.all([store, actors, emmett, dbos].map((contender) => contender.stop()))
  }
  return results
}

export const append: Bench = { id: "P1", about: "durable append, distinct sessions", run }
