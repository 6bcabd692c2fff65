import { Effect } from "effect"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { end, type Stopping } from "./Part.ts"
import { nodeStopping, runnerStopping } from "./parts.ts"
import * as Postgres from "./Postgres.ts"
import { recordOf } from "./Program.ts"
import type { UpConfig } from "./UpConfig.ts"

/** Ends in order what a supervisor that died left running, or at once. Answers whether there was anything. */
export const stopLeft = Effect.fnUntraced(function* (config: UpConfig, isNow: boolean) {
  const { home } = config
  const inTime = (stopping: Stopping): Stopping => (isNow ? { ...stopping, signals: [] } : stopping)
  const node = recordOf(home, "node")
  const runner = recordOf(home, "runner")
  if (runner !== null) yield* end(runner, inTime(runnerStopping(config)))
  if (node !== null) yield* end(node, inTime(nodeStopping))
  if (config.databaseUrl !== null || !existsSync(join(home, "postgres"))) return node !== null || runner !== null
  const wasRunning = yield* Postgres.stopLeft(home, config.postgres)
  return node !== null || runner !== null || wasRunning
})
