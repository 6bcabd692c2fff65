import { spawnSync, spawn } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Database } from "./Database.ts"

/** Debian's newest pgbench. It speaks to a newer server as well as to its own. */
export const findPgbench = (): string | undefined => {
  const versions = "/usr/lib/postgresql"
  const found = existsSync(versions)
    ? readdirSync(versions)
        .toSorted((a, b) => Number(b) - Number(a))
        .map((version) => join(versions, version, "bin/pgbench"))
    : []
  return [...found, "/usr/bin/pgbench"].find((path) => spawnSync(path, ["--version"]).status === 0)
}

export const missing = "pgbench is not installed (apt-get install postgresql-15, or postgresql-contrib elsewhere)"

/** Transactions per second of a script, prepared, with the text variables bound at each execution. */
export const pgbench = async (
  path: string,
  database: Database,
  options: {
    readonly script: string
    readonly clients: number
    readonly ms: number
    readonly variables?: Readonly<Record<string, string>>
  }
): Promise<{ readonly perSecond: number; readonly count: number; readonly latencyMs: number }> => {
  const directory = mkdtempSync(join(tmpdir(), "troupe-pgbench-"))
  try {
    const file = join(directory, "script.sql")
    writeFileSync(file, options.script)
    const { clients, ms, variables = {} } = options
    const url = new URL(database.url)
    // Its clock runs while it connects, one after the other; what it reports does not count that time.
    const seconds = Math.max(1, Math.round(ms / 1_000)) + Math.ceil(clients / 32)
    const child = spawn(
      path,
      [
        ...["-h", url.hostname, "-p", url.port, "-U", url.username, "-n", "-M", "prepared", "-f", file],
        // One thread: with two the medians were 3 to 4 % higher, less than the rounds differ among themselves.
        ...["-c", String(clients), "-j", "1", "-T", String(seconds)],
        ...Object.entries(variables).flatMap(([name, value]) => ["-D", `${name}=${value}`]),
        database.name
      ],
      { env: { ...process.env, PGPASSWORD: url.password }, stdio: ["ignore", "pipe", "pipe"] }
    )
    let out = ""
    let err = ""
    child.stdout.on("data", (chunk) => (out += chunk))
    child.stderr.on("data", (chunk) => (err += chunk))
    const code = await new Promise((resolve) => child.once("close", resolve))
    const perSecond = Number(/tps = ([\d.]+)/.exec(out)?.[1])
    const count = Number(/actually processed: (\d+)/.exec(out)?.[1])
    const latencyMs = Number(/latency average = ([\d.]+)/.exec(out)?.[1])
    if (code !== 0 || !Number.isFinite(perSecond)) throw new Error(`pgbench failed: ${err}${out}`)
    return { perSecond, count, latencyMs }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** What every durable write costs at least: one row of one column, one commit. */
export const singleRow = {
  table: "CREATE TABLE single (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payload json NOT NULL)",
  script: "INSERT INTO single (payload) VALUES (:payload);\n"
}
