import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Database } from "../../harness/Database.ts"
import { payloadOf } from "../../harness/payload.ts"
import { bounded, compared, type Result } from "../../harness/Result.ts"
import { interleave } from "../../harness/rounds.ts"
import type { Bench, Context } from "../../harness/Suite.ts"

const main = fileURLToPath(new URL("../../../packages/server/src/main.ts", import.meta.url))

/** Rows as a hundred thousand sessions would have left them: each opened, put away, some with a timer far off. */
const fill = async (database: Database, sessions: number) => {
  const workspace = "'00000000-0000-7000-9000-000000000001'::uuid"
  const series = `generate_series(1, ${sessions}) s`
  await database.query(
    `INSERT INTO heads (stream_id, kind, workspace_id, shard, version, epoch, last_recorded_at, wake_at)
     SELECT uuidv7(), 0, ${workspace}, s % 300 + 1, 2, 1, 1795000000000000,
       CASE WHEN s % 100 = 0 THEN 4000000000000 END
     FROM ${series}`
  )
  await database.query(
    `INSERT INTO events (stream_id, seq, recorded_at, event_id, workspace_id, causation_id, correlation_id, epoch, kind,
       version, type, actor, salt, commitment, chain, command_id, command_digest, command_body, payload)
     SELECT stream_id, seq, 1795000000000000 + seq, uuidv7(), workspace_id, uuidv7(), uuidv7(), 1, 0, 1,
       'SystemMessageReceived', '{"type":"system"}', '\\xab', '\\xab', '\\xab', uuidv7(), '\\xab', '{}', $1::json
     FROM heads, generate_series(1, 2) seq`,
    [payloadOf("stored")]
  )
  await database.query(
    `INSERT INTO sessions (session_id, workspace_id, status, agent_id, agent_version, origin, created_by, visibility,
       created_at, updated_at)
     SELECT stream_id, workspace_id, 'idle', uuidv7(), 1, 'api', 'bench', 'workspace', 1795000000000, 1795000000000
     FROM heads`
  )
  await database.query("VACUUM (ANALYZE)")
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, "close")
  return port
}

/** Milliseconds from the process's start until it says that it can serve. */
const start = async (database: Database, home: string): Promise<number> => {
  const port = await freePort()
  const begun = performance.now()
  const child = spawn(process.execPath, [main], {
    env: {
      ...process.env,
      DATABASE_URL: database.url,
      TROUPE_HOME: home,
      TROUPE_PORT: String(port),
      TROUPE_LOG: "error",
      NODE_NO_WARNINGS: "1"
    },
    stdio: ["ignore", "ignore", "inherit"]
  })
  const exited = once(child, "exit")
  try {
    while (performance.now() - begun < 60_000) {
      if (child.exitCode !== null) throw new Error(`the node ended with ${child.exitCode}`)
      const ready = await fetch(`http://127.0.0.1:${port}/readyz`).then(
        ({ ok }) => ok,
        () => false
      )
      if (ready) return performance.now() - begun
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    throw new Error("the node was not ready within a minute")
  } finally {
    child.kill("SIGTERM")
    await exited
  }
}

const run = async ({ calibrate, plan, quick, say, server }: Context): Promise<ReadonlyArray<Result>> => {
  const full = await server.createMigrated("p13_full")
  const empty = await server.createMigrated("p13_empty")
  const sessions = quick ? 20_000 : 100_000
  await fill(full, sessions)
  const home = mkdtempSync(join(tmpdir(), "troupe-bench-node-"))
  try {
    const { processor } = await calibrate()
    const sides = [
      { name: "full", measure: () => start(full, home) },
      { name: "empty", measure: () => start(empty, home) }
    ]
    const values = await interleave(sides, plan, say)
    const metric = `start to ready, ${sessions.toLocaleString("en-US")} sessions stored`
    const subject = { id: "P13", metric, unit: "ms" }
    return [
      bounded(subject, values.get("full")!, { atMost: 2_000 }, processor),
      compared(subject, values.get("full")!, "an empty database", values.get("empty")!, null)
    ]
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

export const starting: Bench = { id: "P13", about: "start to ready", run }
