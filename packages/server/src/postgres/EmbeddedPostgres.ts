import * as PgConnection from "@effect/sql-pg/PgConnection"
import { Clock, Context, Effect, Layer, Redacted, Result, Scope } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { existsSync, readFileSync, realpathSync } from "node:fs"
import { join } from "node:path"
import { type Binaries, findBinaries, prepareBinaries } from "./Binaries.ts"
import { type DataDirectory, locate, socketDirectory } from "./DataDirectory.ts"
import { type EmbeddedPostgresError, embeddedPostgresError } from "./EmbeddedPostgresError.ts"
import { withPath, writeWhole } from "./files.ts"
import { HomeLock } from "./HomeLock.ts"
import { initCluster, resetPassword } from "./InitCluster.ts"
import { loadPasswords, type Passwords } from "./Passwords.ts"
import { awaitEnd, startPostmaster, stopPostmaster } from "./Postmaster.ts"
import { type PostmasterFile, runningPostmaster } from "./PostmasterFile.ts"
import { provision } from "./Roles.ts"
import { clusterName, renderSettings, type Settings } from "./Settings.ts"

export interface EmbeddedPostgresOptions {
  /** Leaves the server running at the end; the next start takes it over. */
  readonly keepRunning?: boolean
  /** Settings of `postgresql.conf` that go beyond ours, for example `{ fsync: "off" }` in tests. */
  readonly settings?: Settings
  /** Recovery after a crash counts as starting. */
  readonly startTimeoutMs?: number
}

/**
 * The Postgres that comes with Troupe: a real server, started and stopped by us, in a home that we hold the lock of.
 *
 * Whatever was interrupted before, the next start leads to a running server: an initdb that was cut off begins anew, a
 * server that outlived its parent is adopted (or restarted, if release or settings have changed), one that was killed
 * recovers, and lost passwords are replaced.
 */
export class EmbeddedPostgres extends Context.Service<
  EmbeddedPostgres,
  {
    readonly ownerUrl: Redacted.Redacted
    readonly appUrl: Redacted.Redacted
    readonly superuserUrl: Redacted.Redacted
    readonly port: number
    readonly socketDir: string
    readonly dataDirectory: string
    readonly pid: number
    readonly origin: "created" | "started" | "adopted"
    /** Completes when the server ends, for whatever reason. */
    readonly ended: Effect.Effect<void>
  }
>()("server/EmbeddedPostgres") {
  static readonly layer = (
    options: EmbeddedPostgresOptions = {}
  ): Layer.Layer<EmbeddedPostgres, EmbeddedPostgresError, HomeLock> => Layer.effect(EmbeddedPostgres, start(options))

  /** The same outside a layer, for a supervisor that starts a server again when it `ended`. */
  static readonly start = (
    options: EmbeddedPostgresOptions = {}
  ): Effect.Effect<EmbeddedPostgres["Service"], EmbeddedPostgresError, HomeLock | Scope.Scope> => start(options)

  /** The way to the server that somebody else runs for this home, by what the home says; waits a while for it to be ready. */
  static readonly running = Effect.fn("EmbeddedPostgres.running")(function* (
    home: string
  ): Effect.fn.Return<Pick<EmbeddedPostgres["Service"], "appUrl" | "ownerUrl">, EmbeddedPostgresError> {
    const { data } = yield* locate(home, (yield* findBinaries).major)
    const deadline = (yield* Clock.currentTimeMillis) + awaitRunningMs
    while (true) {
      const server = runningPostmaster(data)
      if (server?.status === "ready") return urls(server, yield* loadPasswords(home))
      if ((yield* Clock.currentTimeMillis) > deadline) return yield* embeddedPostgresError({ _tag: "NotRunning", home })
      yield* Effect.sleep(20)
    }
  })

  /** Stops the server that a start left running, and answers whether there was one. */
  static readonly stop: Effect.Effect<boolean, EmbeddedPostgresError, HomeLock> = Effect.gen(function* () {
    const { home } = yield* HomeLock
    const { data } = yield* locate(home, (yield* findBinaries).major)
    const server = runningPostmaster(data)
    if (server === undefined) return false
    yield* stopPostmaster(server.pid, data)
    return true
  })
}

const start = Effect.fn("EmbeddedPostgres.start")(function* (options: EmbeddedPostgresOptions) {
  const { home } = yield* HomeLock
  const found = yield* findBinaries
  const directory = yield* locate(home, found.major)
  const passwords = yield* loadPasswords(home)
  const binaries = yield* prepareBinaries(found, directory.account, home)
  if (!directory.exists) yield* initCluster(directory, binaries, passwords.superuser)

  // Set as soon as a server exists, so that an interrupted start stops what it started.
  let running: number | undefined
  let keep = false
  yield* Effect.addFinalizer(() =>
    running === undefined || keep ? Effect.void : Effect.orDie(stopPostmaster(running, directory.data))
  )

  const settings = renderSettings(options.settings ?? {})
  const name = clusterName(found.version, settings)
  const adopted = yield* adopt(directory, passwords, name)
  running = adopted?.pid
  const server =
    adopted ??
    (yield* launch({ home, directory, binaries, passwords, settings, name, options }, (pid) => {
      running = pid
    }))
  yield* Effect.scoped(
    connect(server, passwords).pipe(
      Effect.flatMap((superuser) => provision(superuser, passwords)),
      Effect.mapError(refused)
    )
  )
  keep = options.keepRunning ?? false
  return EmbeddedPostgres.of({
    superuserUrl: url("postgres", passwords.superuser, "postgres", server),
    ...urls(server, passwords),
    port: server.port,
    socketDir: server.socketDir,
    dataDirectory: directory.data,
    pid: server.pid,
    origin: adopted !== undefined ? "adopted" : directory.exists ? "started" : "created",
    ended: awaitEnd(server.pid, directory.data)
  })
})

const defaultStartTimeoutMs = 120_000
const awaitRunningMs = 10_000

const urls = (server: PostmasterFile, passwords: Passwords) => ({
  ownerUrl: url("troupe_owner", passwords.owner, "troupe", server),
  appUrl: url("troupe_app", passwords.app, "troupe", server)
})

interface Plan {
  readonly home: string
  readonly directory: DataDirectory
  readonly binaries: Binaries
  readonly passwords: Passwords
  readonly settings: string
  readonly name: string
  readonly options: EmbeddedPostgresOptions
}

const launch = Effect.fnUntraced(function* (plan: Plan, onSpawn: (pid: number) => void) {
  const {
    binaries,
    directory: { account, data },
    home
  } = plan
  const portFile = join(home, "postgres/port")
  const conf = join(data, "troupe.conf")
  yield* withPath(conf, () => writeWhole(conf, plan.settings, { mode: 0o600, owner: account }))
  const attempt = Effect.gen(function* () {
    const server = yield* startPostmaster({
      postgres: binaries.postgres,
      account,
      data,
      socketDir: yield* socketDirectory(plan.directory),
      clusterName: plan.name,
      logFile: join(home, "logs/postgres.log"),
      preferredPort: existsSync(portFile) ? Number(readFileSync(portFile, "utf8")) || undefined : undefined,
      timeoutMs: plan.options.startTimeoutMs ?? defaultStartTimeoutMs,
      onSpawn
    })
    yield* withPath(portFile, () => writeWhole(portFile, `${server.port}\n`, { mode: 0o644 }))
    const login = yield* Effect.result(Effect.scoped(connect(server, plan.passwords)))
    return { server, login }
  })
  const first = yield* attempt
  if (Result.isSuccess(first.login)) return first.server
  if (!isWrongPassword(first.login.failure)) return yield* refused(first.login.failure)
  // The password files are not those the cluster was made with.
  yield* stopPostmaster(first.server.pid, data)
  yield* resetPassword(plan.directory, binaries, plan.passwords.superuser)
  const second = yield* attempt
  return Result.isSuccess(second.login) ? second.server : yield* refused(second.login.failure)
})

/** Takes over a server that is still running, if it is what we would start; otherwise makes room. */
const adopt = Effect.fnUntraced(function* ({ data }: DataDirectory, passwords: Passwords, wantedName: string) {
  const deadline = (yield* Clock.currentTimeMillis) + defaultStartTimeoutMs
  while (true) {
    const server = runningPostmaster(data)
    if (server === undefined) return undefined
    if (server.status === "ready") {
      const found = yield* Effect.result(Effect.scoped(Effect.flatMap(connect(server, passwords), identify)))
      if (Result.isSuccess(found) && found.success.name === wantedName && found.success.data === realpathSync(data)) {
        return server
      }
      yield* stopPostmaster(server.pid, data)
    } else if ((yield* Clock.currentTimeMillis) > deadline) {
      yield* stopPostmaster(server.pid, data)
    }
    yield* Effect.sleep(10)
  }
})

const identify = Effect.fnUntraced(function* (connection: PgConnection.PgConnection) {
  const {
    rows: [row]
  } = yield* connection.query(
    "SELECT current_setting('cluster_name') AS name, current_setting('data_directory') AS data"
  )
  return { name: row?.name, data: row?.data }
})

const url = (user: string, password: Redacted.Redacted, database: string, { port, socketDir }: PostmasterFile) =>
  // libpq, `pg` and sql-pg all let the host parameter win: over the socket here, and still a complete TCP address.
  Redacted.make(
    `postgres://${user}:${Redacted.value(password)}@127.0.0.1:${port}/${database}?host=${encodeURIComponent(socketDir)}`,
    { label: `postgres://${user}@127.0.0.1:${port}/${database}` }
  )

const connect = (server: PostmasterFile, passwords: Passwords) =>
  PgConnection.make({ url: url("postgres", passwords.superuser, "postgres", server), applicationName: "troupe" })

const isWrongPassword = (error: SqlError) => error.reason._tag === "AuthenticationError"

const refused = (error: SqlError) => embeddedPostgresError({ _tag: "Refused", detail: error.message }, error)
