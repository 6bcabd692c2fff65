import * as PgConnection from "@effect/sql-pg/PgConnection"
import { Effect, Redacted, Schema, type Scope } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { allProcesses, describeProcess, processesWithArgument } from "../../src/postgres/ProcessInfo.ts"

const main = join(import.meta.dirname, "../../src/postgres/embedded-main.ts")

const Started = Schema.fromJsonString(
  Schema.Struct({
    origin: Schema.Literals(["created", "started", "adopted"]),
    pid: Schema.Int,
    port: Schema.Int,
    socketDir: Schema.String,
    dataDirectory: Schema.String,
    passwordFiles: Schema.Struct({ superuser: Schema.String, owner: Schema.String, app: Schema.String })
  })
)
export type Started = typeof Started.Type

/** Another user to run as, where the test runs as root. */
export interface As {
  readonly uid: number
  readonly gid: number
}

/** A directory for one test. Its servers are stopped and it is removed at the end, whatever the test did to them. */
export const temporaryDirectory: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => {
    const directory = mkdtempSync(join(tmpdir(), "troupe-test-"))
    chmodSync(directory, 0o755)
    return directory
  }),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

export interface Launched {
  readonly process: ChildProcess
  /** What it printed when it was ready; fails with what it said on stderr when it ended before. */
  readonly ready: Effect.Effect<Started, string>
  readonly exited: Effect.Effect<number | NodeJS.Signals>
}

/** Runs `embedded-main.ts` as a process of its own. At the end of the scope nothing of the home is left running. */
export const launch = (
  home: string,
  args: ReadonlyArray<string> = [],
  as?: As
): Effect.Effect<Launched, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => spawnMain(home, args, as)),
    ({ exited, process }) =>
      Effect.gen(function* () {
        process.kill("SIGKILL")
        yield* exited
        yield* killAll(home)
      })
  )

/** Ends every process that works in the home. Nobody will miss the data. */
const killAll = (home: string) =>
  Effect.gen(function* () {
    const location = join(home, "postgres/location")
    const base = existsSync(location) ? readFileSync(location, "utf8").trim() : join(home, "postgres")
    while (true) {
      const found = new Set([
        ...processesWithArgument((argument) => argument.includes(`${base}/`)),
        ...allProcesses().filter((pid) => describeProcess(pid)?.directory.startsWith(`${base}/`) === true)
      ])
      if (found.size === 0) return
      for (const pid of found) {
        try {
          process.kill(pid, "SIGKILL")
        } catch {
          continue
        }
      }
      yield* Effect.sleep(5)
    }
  })

const spawnMain = (home: string, args: ReadonlyArray<string>, as?: As): Launched => {
  const child = spawn(process.execPath, [main, "--home", home, ...args], { ...as, stdio: ["ignore", "pipe", "pipe"] })
  let stdout = ""
  let stderr = ""
  child.stderr.on("data", (chunk) => (stderr += chunk))
  const ended = new Promise<number | NodeJS.Signals>((resolve) =>
    child.on("close", (code, signal) => resolve(signal ?? code ?? -1))
  )
  const ready = new Promise<Started>((resolve, reject) => {
    child.stdout.on("data", (chunk) => {
      stdout += chunk
      if (stdout.endsWith("\n")) resolve(Schema.decodeSync(Started)(stdout))
    })
    void ended.then(() => reject(stderr.trim()))
  })
  ready.catch(() => {})
  return {
    process: child,
    ready: Effect.tryPromise({ try: () => ready, catch: String }),
    exited: Effect.promise(() => ended)
  }
}

/** Starts, fails the test when that fails, and answers what was printed. */
export const startHome = (home: string, args: ReadonlyArray<string> = [], as?: As) =>
  Effect.gen(function* () {
    const launched = yield* launch(home, args, as)
    return { ...launched, ...(yield* Effect.orDie(launched.ready)) }
  })

/** One statement as the superuser. */
export const query = (server: Started, statement: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const connection = yield* PgConnection.make({
        host: server.socketDir,
        port: server.port,
        username: "postgres",
        database: "troupe",
        password: Redacted.make(readFileSync(server.passwordFiles.superuser, "utf8").trim())
      })
      return (yield* connection.query(statement)).rows
    })
  ).pipe(Effect.orDie)
