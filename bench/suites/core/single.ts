import type { Load } from "../../harness/closedLoop.ts"
import { pgbench, singleRow } from "../../harness/Pgbench.ts"
import { bounded, compared, type Result } from "../../harness/Result.ts"
import { interleave, type Side } from "../../harness/rounds.ts"
import type { Bench, Context } from "../../harness/Suite.ts"
import { loadOf, ours } from "./contenders.ts"
import { rowsVariables as variables } from "./rows.ts"

const run = async ({ calibrate, pgbench: path, plan, say, server }: Context): Promise<ReadonlyArray<Result>> => {
  const database = await server.create("p2_single")
  await database.query(singleRow.table)
  const actors = await ours("actors", await server.createMigrated("p2_actors"))
  const broken: Array<Load> = []
  const seen = (load: Load & { orderKept?: boolean }) => void (load.orderKept === true || broken.push(load))
  try {
    const sides: Array<Side> = [loadOf("entity", actors, "oneSession", 16, {}, seen)]
    if (path !== undefined) {
      const alone = { script: singleRow.script, clients: 1, variables }
      sides.push({
        name: "pgbench alone",
        measure: async (ms) => (await pgbench(path, database, { ...alone, ms })).perSecond
      })
    }
    const { commit } = await calibrate()
    const values = await interleave(sides, plan, say)
    if (broken.length > 0) throw new Error(`the log's order was wrong in ${broken.length} runs`)
    const us = values.get("entity")!
    const subject = { id: "P2", metric: "one session, 16 clients, through the entity", unit: "commands/s" }
    const results = [bounded({ ...subject, note: "order verified from the log" }, us, { atLeast: 2_000 }, commit)]
    if (path !== undefined)
      results.push(compared(subject, us, "pgbench, one row, alone", values.get("pgbench alone")!, null))
    return results
  } finally {
    await actors.stop()
  }
}

export const single: Bench = { id: "P2", about: "commands on one session", run }
