/**
 *     npm run bench -- core [--only P1,P6] [--quick]
 *
 * Measures a suite, writes `bench/results/SUITE.json` and prints it as a table. A missed budget is printed and noted,
 * and fails nothing: whether this machine was fit to measure on is for a person to say.
 */
import { loadavg } from "node:os"
import { parseArgs } from "node:util"
import { calibrate } from "./harness/Calibration.ts"
import * as Database from "./harness/Database.ts"
import { findPgbench, missing, singleRow } from "./harness/Pgbench.ts"
import { machine, table, write, type Result } from "./harness/Result.ts"
import type { Suite } from "./harness/Suite.ts"
import { installPeers } from "./peers/install.ts"

const suites: Readonly<Record<string, () => Promise<{ readonly suite: Suite }>>> = {
  core: () => import("./suites/core.ts"),
  egress: () => import("./suites/egress.ts"),
  gateway: () => import("./suites/gateway.ts"),
  runner: () => import("./suites/runner.ts"),
  takeover: () => import("./suites/takeover.ts"),
  turn: () => import("./suites/turn.ts")
}

const say = (line: string) => process.stderr.write(`${line}\n`)

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { only: { type: "string" }, quick: { type: "boolean", default: false } }
})
const name = positionals[0] ?? "core"
const load = suites[name]
if (load === undefined) {
  say(`There is no suite ${name}. There are: ${Object.keys(suites).join(", ")}`)
  process.exit(2)
}

const { quick } = values
const plan = quick ? { rounds: 2, roundMs: 2_000, warmUpMs: 1_000 } : { rounds: 5, roundMs: 5_000, warmUpMs: 5_000 }
const only = values.only?.split(",").map((id) => id.trim().toUpperCase())

const { suite } = await load()
if (suite.hasPeers === true) installPeers(say)
const chosen = suite.benches.filter(({ id }) => only === undefined || only.includes(id))
const pgbench = findPgbench()
if (pgbench === undefined) say(missing)
say(machine())
const [busy = 0] = loadavg()

const server = await Database.start()
const stop = async () => {
  await server.stop()
  process.exit(130)
}
process.once("SIGINT", stop)
process.once("SIGTERM", stop)
const results: Array<Result> = []
try {
  const calibration = await server.create("calibration")
  await calibration.query(singleRow.table)
  for (const { about, id, run } of chosen) {
    say(`${id}: ${about}`)
    try {
      const context = { server, pgbench, plan, quick, say, calibrate: () => calibrate(pgbench, calibration) }
      results.push(...(await run(context)))
    } catch (error) {
      // One that breaks must not take what the others took minutes to measure.
      say(`${id} broke: ${error instanceof Error ? error.stack : String(error)}`)
      process.exitCode = 1
    }
  }
} finally {
  await server.stop()
}

const file = write(
  quick ? `${name}.quick` : name,
  suite.benches.map(({ id }) => id),
  busy,
  results
)
process.stdout.write(`${table(results)}\n`)
say(machine())
say(`Written to ${file}`)
const missed = results.filter(({ ok }) => ok === false).map(({ id, metric }) => `${id} (${metric})`)
if (missed.length > 0) say(`Over budget: ${missed.join(", ")}`)
