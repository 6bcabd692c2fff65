import * as PgConnection from "@effect/sql-pg/PgConnection"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { requires } from "../../../../test/requires.ts"
import { EmbeddedPostgres } from "../../src/postgres/EmbeddedPostgres.ts"
import { HomeLock } from "../../src/postgres/HomeLock.ts"
import { isPostgresOn, runningPostmaster } from "../../src/postgres/PostmasterFile.ts"
import { type As, launch, query, type Started, startHome, temporaryDirectory } from "../support/EmbeddedHome.ts"

const nobody: As = { uid: 65534, gid: 65534 }

const makeTable = (server: Started) => query(server, "CREATE TABLE kept AS SELECT 42 AS answer")
const readTable = (server: Started) => Effect.map(query(server, "SELECT answer FROM kept"), (rows) => rows[0]?.answer)

const processGroup = (pid: number) => Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[2])

describe("EmbeddedPostgres", { timeout: 60_000 }, () => {
  it.live("creates a cluster once and starts it again with its data, on the same port", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryDirectory, "home")
      const first = yield* startHome(home)
      assert.strictEqual(first.origin, "created")
      assert.notStrictEqual(first.port, 5432)
      yield* makeTable(first)
      first.process.kill("SIGTERM")
      yield* first.exited
      assert.isFalse(isPostgresOn(first.pid, first.dataDirectory), "the server stops with its parent")

      const second = yield* startHome(home)
      assert.strictEqual(second.origin, "started")
      assert.strictEqual(second.port, first.port)
      assert.strictEqual(yield* readTable(second), 42)
    })
  )

  it.live("adopts the server that outlived its parent", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryDirectory, "home")
      const first = yield* startHome(home)
      yield* makeTable(first)
      first.process.kill("SIGKILL")
      yield* first.exited
      const second = yield* startHome(home)
      assert.strictEqual(second.origin, "adopted")
      assert.strictEqual(second.pid, first.pid)
      assert.strictEqual(yield* readTable(second), 42)
      second.process.kill("SIGTERM")
      yield* second.exited
      assert.isFalse(isPostgresOn(first.pid, first.dataDirectory), "an adopted server is stopped like one's own")
    })
  )

  it.live("starts an adopted server anew when its settings are not today's", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryDirectory, "home")
      const first = yield* startHome(home, ["--keep"])
      yield* first.exited
      const second = yield* startHome(home, ["--set", "work_mem=5MB"])
      assert.strictEqual(second.origin, "started")
      assert.notStrictEqual(second.pid, first.pid)
      assert.strictEqual((yield* query(second, "SHOW work_mem"))[0]?.work_mem, "5MB")
    })
  )

  it.live("recovers from a killed server, also while a child of it is still busy", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryDirectory, "home")
      const first = yield* startHome(home)
      yield* makeTable(first)
      const spin = "DO $$ BEGIN LOOP END LOOP; END $$"
      yield* Effect.forkScoped(Effect.exit(query(first, spin)))
      while ((yield* query(first, `SELECT FROM pg_stat_activity WHERE query = '${spin}'`)).length === 0) {
        yield* Effect.sleep(10)
      }
      process.kill(first.pid, "SIGKILL")
      yield* first.exited
      const second = yield* startHome(home)
      assert.strictEqual(second.origin, "started")
      assert.strictEqual(yield* readTable(second), 42)
    })
  )

  it.live("replaces a frozen server", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryDirectory, "home")
      const first = yield* startHome(home, ["--keep"])
      yield* makeTable(first)
      process.kill(first.pid, "SIGSTOP")
      const second = yield* startHome(home)
      assert.strictEqual(second.origin, "started")
      assert.strictEqual(yield* readTable(second), 42)
    })
  )

  it.live("is not fooled by a process number that someone else has now", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryDirectory, "home")
      const first = yield* startHome(home)
      const pidFile = join(first.dataDirectory, "postmaster.pid")
      const content = readFileSync(pidFile, "utf8")
      first.process.kill("SIGTERM")
      yield* first.exited
      writeFileSync(pidFile, content.replace(String(first.pid), String(process.pid)))
      const second = yield* startHome(home)
      assert.strictEqual(second.origin, "started")
    })
  )

  it.live("begins an interrupted initdb anew, wherever it was cut off", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryDirectory, "home")
      for (const delayMs of [200, 300, 400, 500, 600]) {
        const cut = yield* launch(home)
        yield* Effect.race(Effect.sleep(delayMs), Effect.ignore(cut.ready))
        cut.process.kill("SIGKILL")
        yield* cut.exited
      }
      const server = yield* startHome(home)
      yield* makeTable(server)
      assert.deepStrictEqual(
        readdirSync(join(home, "postgres")).filter((name) => name.includes("partial")),
        []
      )
    })
  )

  it.live("stops after its parent on Ctrl-C, and leaves nothing when it is told to stop while it starts", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryDirectory, "home")
      const data = join(home, "postgres/18")
      for (const delayMs of [400, 600, 800, 1000, 1200]) {
        const cut = yield* launch(home)
        yield* Effect.race(Effect.sleep(delayMs), Effect.ignore(cut.ready))
        cut.process.kill("SIGTERM")
        yield* cut.exited
        assert.isUndefined(runningPostmaster(data))
      }
      const server = yield* startHome(home)
      assert.strictEqual(processGroup(server.pid), server.pid)
      server.process.kill("SIGINT")
      yield* server.exited
      assert.isUndefined(runningPostmaster(data))
      const log = readFileSync(join(home, "logs/postgres.log"), "utf8")
      assert.match(log, /database system is shut down\n$/)
    })
  )

  it.live("never lets anyone in without a password", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryDirectory, "home")
      const server = yield* startHome(home)
      for (const file of Object.values(server.passwordFiles)) {
        assert.strictEqual(statSync(file).mode & 0o777, 0o600)
        assert.match(readFileSync(file, "utf8"), /^[\w-]{43}\n$/)
      }
      for (const host of [server.socketDir, "127.0.0.1"]) {
        for (const username of ["postgres", "troupe_owner", "troupe_app", "troupe_redactor"]) {
          for (const password of [undefined, Redacted.make("guess")]) {
            const options = { host, port: server.port, username, database: "troupe" }
            const login = PgConnection.make(password === undefined ? options : { ...options, password })
            const refusal = yield* Effect.flip(Effect.scoped(login))
            assert.strictEqual(refusal.reason._tag, "AuthenticationError", `${username} at ${host}`)
          }
        }
      }
      const rules = yield* query(server, "SELECT DISTINCT auth_method FROM pg_hba_file_rules")
      assert.deepStrictEqual(rules, [{ auth_method: "scram-sha-256" }])
      const [settings] = yield* query(server, "SELECT current_setting('listen_addresses') AS listen")
      assert.strictEqual(settings?.listen, "127.0.0.1")
    })
  )

  it.live("replaces lost passwords", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryDirectory, "home")
      const first = yield* startHome(home)
      yield* makeTable(first)
      const before = Object.values(first.passwordFiles).map((file) => readFileSync(file, "utf8"))
      first.process.kill("SIGKILL")
      yield* first.exited
      Object.values(first.passwordFiles).forEach((file) => rmSync(file))
      const second = yield* startHome(home)
      assert.strictEqual(yield* readTable(second), 42)
      const after = Object.values(second.passwordFiles).map((file) => readFileSync(file, "utf8"))
      after.forEach((password, index) => assert.notStrictEqual(password, before[index]))
      const app = PgConnection.make({
        host: second.socketDir,
        port: second.port,
        username: "troupe_app",
        database: "troupe",
        password: Redacted.make(readFileSync(second.passwordFiles.app, "utf8").trim())
      })
      yield* Effect.scoped(app)
    })
  )

  it.live("takes another port when its own was taken meanwhile", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const first = yield* startHome(join(directory, "one"))
      mkdirSync(join(directory, "two/postgres"), { recursive: true })
      writeFileSync(join(directory, "two/postgres/port"), String(first.port))
      const second = yield* startHome(join(directory, "two"))
      assert.notStrictEqual(second.port, first.port)
      assert.strictEqual(Number(readFileSync(join(directory, "two/postgres/port"), "utf8")), second.port)
    })
  )

  it.live("names the other major version instead of touching its data", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryDirectory, "home")
      mkdirSync(join(home, "postgres/17"), { recursive: true })
      const other = yield* launch(home)
      assert.include(yield* Effect.flip(other.ready), "postgres/17 belongs to Postgres 17, and this release brings")
      rmSync(join(home, "postgres/17"), { recursive: true })
      mkdirSync(join(home, "postgres/18"), { recursive: true })
      writeFileSync(join(home, "postgres/18/PG_VERSION"), "16\n")
      const wrong = yield* launch(home)
      assert.include(yield* Effect.flip(wrong.ready), "postgres/18 belongs to Postgres 16")
      assert.isTrue(existsSync(join(home, "postgres/18/PG_VERSION")))
    })
  )

  it.live("puts the socket elsewhere when its path would be too long", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryDirectory, "a-very-long-name".repeat(8))
      const server = yield* startHome(home)
      assert.isFalse(server.socketDir.startsWith(home))
      assert.strictEqual(statSync(server.socketDir).mode & 0o777, 0o700)
      yield* makeTable(server)
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(server.socketDir, { recursive: true, force: true })))
    })
  )

  it.live("says in its error why the server did not start", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryDirectory, "home")
      const failing = yield* launch(home, ["--set", "shared_buffers=many"])
      assert.match(
        yield* Effect.flip(failing.ready),
        /did not start[\s\S]*invalid value for parameter "shared_buffers"/
      )
    })
  )

  it.live("comes back under the same address when its supervisor starts it again", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryDirectory, "home")
      const lock = yield* Layer.build(HomeLock.layer(home))
      const start = EmbeddedPostgres.start().pipe(Effect.provideContext(lock))
      const first = yield* start
      process.kill(first.pid, "SIGKILL")
      yield* first.ended
      const second = yield* start
      assert.notStrictEqual(second.pid, first.pid)
      assert.strictEqual(Redacted.value(second.appUrl), Redacted.value(first.appUrl))
      yield* Effect.scoped(PgConnection.make({ url: first.appUrl }))
    })
  )
})

requires("root", "open-checkout")("EmbeddedPostgres for another account", () => {
  it.live("runs as any other user", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      chmodSync(directory, 0o777)
      const server = yield* startHome(join(directory, "home"), [], nobody)
      yield* makeTable(server)
      assert.strictEqual(statSync(server.dataDirectory).uid, nobody.uid)
      assert.strictEqual(statSync(join(directory, "home")).mode & 0o777, 0o700)
    })
  )
})

requires("root")("EmbeddedPostgres for root", () => {
  it.live("keeps root's database where another account can reach it, and says where", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryDirectory, "home")
      mkdirSync(home, { mode: 0o700 })
      let location = ""
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(location, { recursive: true, force: true })))
      const first = yield* startHome(home)
      location = readFileSync(join(home, "postgres/location"), "utf8").trim()
      yield* makeTable(first)
      assert.isTrue(first.dataDirectory.startsWith("/var/lib/troupe/"))
      assert.strictEqual(first.dataDirectory, join(location, "18"))
      first.process.kill("SIGTERM")
      yield* first.exited
      // The data does not move when the permissions do.
      chmodSync(home, 0o755)
      const second = yield* startHome(home)
      assert.strictEqual(second.dataDirectory, first.dataDirectory)
      assert.strictEqual(yield* readTable(second), 42)
    })
  )
})
