import * as NodeServices from "@effect/platform-node/NodeServices"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as PgConnection from "@effect/sql-pg/PgConnection"
import { migrate } from "@troupe/server/postgres/Migrator"
import { Effect, Layer, Redacted } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { chmodSync, mkdtempSync, readFileSync } from "node:fs"
import { rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const main = fileURLToPath(new URL("../../packages/server/src/postgres/embedded-main.ts", import.meta.url))
const migrations = fileURLToPath(new URL("../../migrations/", import.meta.url))

/** More connections than ship, for a pgbench of 256 clients beside pools that stay open. Nothing else is changed. */
const settings = ["--set", "max_connections=500"]

/** The embedded Postgres that ships, with the settings that ship. All contenders use it, each in databases of its own. */
export interface Server {
  readonly port: number
  readonly password: string
  /** Of the postmaster. */
  readonly pid: number
  readonly create: (name: string) => Promise<Database>
  /** A new database with our tables. */
  readonly createMigrated: (name: string) => Promise<Database>
  readonly stop: () => Promise<void>
}

export interface Database {
  readonly name: string
  readonly url: string
  readonly query: <Row = Record<string, unknown>>(
    sql: string,
    params?: ReadonlyArray<unknown>
  ) => Promise<ReadonlyArray<Row>>
}

export const start = async (): Promise<Server> => {
  const home = mkdtempSync(join(tmpdir(), "troupe-bench-"))
  // Postgres passes through it with an account of its own; what it can't enter lies elsewhere, and stays.
  chmodSync(home, 0o711)
  const child = spawn(process.execPath, [main, "--home", home, ...settings], { stdio: ["ignore", "pipe", "inherit"] })
  const ended = once(child, "exit")
  // However we end, it ends with us.
  const end = () => child.kill("SIGTERM")
  process.once("exit", end)
  const first = await Promise.race([
    once(createInterface({ input: child.stdout }), "line").then(([line]) => String(line)),
    ended.then(() => undefined)
  ])
  if (first === undefined) throw new Error("the embedded Postgres did not start")
  const { passwordFiles, pid, port } = JSON.parse(first) as {
    pid: number
    port: number
    passwordFiles: { superuser: string }
  }
  const password = readFileSync(passwordFiles.superuser, "utf8").trim()

  const query = async <Row>(database: string, sql: string, params: ReadonlyArray<unknown> = []) => {
    const connect = PgConnection.make({
      host: "127.0.0.1",
      port,
      database,
      username: "postgres",
      password: Redacted.make(password)
    })
    const run = Effect.flatMap(connect, (connection) => connection.query(sql, params, false))
    return (await Effect.runPromise(Effect.scoped(run))).rows as unknown as ReadonlyArray<Row>
  }
  const create = async (name: string): Promise<Database> => {
    await query("postgres", `CREATE DATABASE ${name}`)
    const url = `postgres://postgres:${password}@127.0.0.1:${port}/${name}`
    return { name, url, query: (sql, params) => query(name, sql, params) }
  }
  return {
    pid,
    port,
    password,
    create,
    createMigrated: async (name) => {
      const database = await create(name)
      const client = PgClient.layer({ url: Redacted.make(database.url), maxConnections: 2 })
      await Effect.runPromise(
        Effect.provide(migrate({ directory: migrations }), Layer.merge(client, NodeServices.layer))
      )
      return database
    },
    stop: async () => {
      child.kill("SIGTERM")
      await ended
      await rm(home, { recursive: true, force: true, maxRetries: 5 })
    }
  }
}
