import type { Load } from "../../harness/closedLoop.ts"
import { Contender } from "../../harness/Contender.ts"
import type { Database } from "../../harness/Database.ts"
import { endedMs, processorMs } from "../../harness/Processor.ts"
import { missing, pgbench, singleRow } from "../../harness/Pgbench.ts"
import { compared, type Result } from "../../harness/Result.ts"
import { interleave, type Side } from "../../harness/rounds.ts"
import { spread } from "../../harness/stats.ts"
import type { Bench, Context } from "../../harness/Suite.ts"
import { peers } from "../../peers/install.ts"
import { ours } from "./contenders.ts"
import { fillRows, rowsScript, rowsVariables } from "./rows.ts"

/** Against pgbench: one row, and the rows that we write. */
const budgets = [
  { inFlight: 16, single: 0.6, rows: 0.8 },
  { inFlight: 64, single: 1, rows: 1.4 },
  { inFlight: 256, single: 1.2, rows: 1.6 }
]

const unit = "appends/s"

/** A side that says how much processor time its client has used up to now. */
interface Costed {
  readonly name: string
  readonly cost: () => number
  readonly measure: (ms: number) => Promise<{ readonly perSecond: number; readonly count: number }>
}

const pgbenchSide = (path: string, database: Database, name: string, script: string, clients: number): Costed => ({
  name,
  cost: () => endedMs(process.pid),
  measure: (ms) => pgbench(path, database, { script, clients, ms, variables: rowsVariables })
})

/** Notes beside each measurement what one operation cost both ends. */
const noted = (side: Costed, server: number, costs: Map<string, Array<number>>): Side => ({
  name: side.name,
  measure: async (ms) => {
    const spent = () => side.cost() + processorMs(server)
    const before = spent()
    const { count, perSecond } = await side.measure(ms)
    const each = ((spent() - before) * 1_000) / count
    costs.set(side.name, [...(costs.get(side.name) ?? []), each])
    return perSecond
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
      const load = (name: string, contender: Contender, action: string, input: object = {}): Costed => ({
        name,
        cost: () => processorMs(contender.child.pid!),
        measure: (ms) => contender.request<Load>(action, { ...input, inFlight, ms })
      })
      const sides = [load("store", store, "append")]
      if (path !== undefined) {
        sides.push(pgbenchSide(path, single, "pgbench", singleRow.script, inFlight))
        sides.push(pgbenchSide(path, rows, "pgbench rows", rowsScript, inFlight))
      }
      if (inFlight === 16) {
        sides.push(
          load("emmett", emmett, "append"),
          load("actor", actors, "direct"),
          load("sessions", actors, "sessions"),
          load("entity", actors, "entity"),
          load("DBOS", dbos, "workflows", { steps: 1 })
        )
      }
      say(`  ${inFlight} in flight`)
      const costs = new Map<string, Array<number>>()
      const costOf = (side: string) => spread(costs.get(side)!.slice(1)).median
      const values = await interleave(
        sides.map((side) => noted(side, server.pid, costs)),
        plan,
        say
      )
      const compare = (side: string, metric: string, peer: string, peerName: string, atLeast: number | null) => {
        // With more clients, what pgbench costs is to a good part connecting.
        const cost = inFlight > 16 ? {} : { processorUs: costOf(side), peerProcessorUs: costOf(peer) }
        const subject = { id: "P1", metric: `${metric}, ${inFlight} in flight`, unit, ...cost }
        results.push(
          compared(subject, values.get(side)!, peerName, values.get(peer)!, atLeast === null ? null : { atLeast })
        )
      }
      if (path !== undefined) {
        compare("store", "event store", "pgbench", "pgbench, one row", budget.single)
        compare("store", "event store", "pgbench rows", "pgbench, same rows", budget.rows)
      }
      if (inFlight !== 16) continue
      compare("store", "event store", "emmett", "emmett-postgresql", 4)
      compare("actor", "command path, actor alone", "emmett", "emmett-postgresql", null)
      compare("sessions", "command path", "emmett", "emmett-postgresql", 3)
      compare("sessions", "command path", "DBOS", "DBOS, one step", 12)
      compare("entity", "command path, through the cluster", "emmett", "emmett-postgresql", null)
    }
    if (path === undefined) say(`  Skipped the comparisons with pgbench: ${missing}`)
  } finally {
    await Promise.all([store, actors, emmett, dbos].map((contender) => contender.stop()))
  }
  return results
}

export const append: Bench = { id: "P1", about: "durable append, distinct sessions", run }
