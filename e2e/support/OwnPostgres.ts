import { Effect, Exit, Redacted, Scope } from "effect"
import { execFile } from "node:child_process"
import { readFileSync, readlinkSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import { startHome, temporaryDirectory, type Started } from "../../packages/server/test/support/EmbeddedHome.ts"

/** A Postgres for one test, that writes to disk as it does for users, and may be crashed. */
export interface OwnPostgres {
  readonly port: number
  readonly ownerUrl: Redacted.Redacted
  readonly appUrl: Redacted.Redacted
  readonly superuserUrl: Redacted.Redacted
  /** Stops it as `pg_ctl -m immediate` does: without a word to anybody, and with recovery at the next start. */
  readonly crash: () => Promise<void>
  /** Starts it again, and answers once it accepts connections. */
  readonly restart: () => Promise<void>
  readonly close: () => Promise<void>
}

const urlOf = ({ passwordFiles, port }: Started, user: string, file: keyof Started["passwordFiles"]) =>
  Redacted.make(`postgres://${user}:${readFileSync(passwordFiles[file], "utf8").trim()}@127.0.0.1:${port}/troupe`)

export const startOwnPostgres = async (): Promise<OwnPostgres> => {
  const scope = Scope.makeUnsafe()
  const inScope = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>) => Effect.runPromise(Scope.provide(effect, scope))
  const home = await inScope(temporaryDirectory)
  let running = await inScope(startHome(home))
  const { port } = running

  return {
    port,
    ownerUrl: urlOf(running, "troupe_owner", "owner"),
    appUrl: urlOf(running, "troupe_app", "app"),
    superuserUrl: urlOf(running, "postgres", "superuser"),
    crash: async () => {
      const pgCtl = join(dirname(readlinkSync(`/proc/${running.pid}/exe`)), "pg_ctl")
      const { gid, uid } = statSync(running.dataDirectory)
      const stop = ["stop", "-D", running.dataDirectory, "-m", "immediate", "-s"]
      await promisify(execFile)(pgCtl, stop, { uid, gid, cwd: running.dataDirectory })
      await Effect.runPromise(running.exited)
    },
    restart: async () => {
      running = await inScope(startHome(home))
      if (running.port !== port) throw new Error(`Postgres came back on port ${running.port} and not on ${port}`)
    },
    close: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
}
