import { Effect, Redacted } from "effect"
import { spawn } from "node:child_process"
import { appendFileSync, chownSync, mkdirSync, renameSync, rmSync } from "node:fs"
import { join } from "node:path"
import { type Account, spawnAs } from "./Account.ts"
import type { Binaries } from "./Binaries.ts"
import { type DataDirectory, partialPath, sweepPartial } from "./DataDirectory.ts"
import { type EmbeddedPostgresError, embeddedPostgresError } from "./EmbeddedPostgresError.ts"
import { syncDirectory, withPath, writeWhole } from "./files.ts"
import { hostBasedAuthentication } from "./Settings.ts"

/**
 * Makes the database directory under a provisional name and renames it when it is complete and on disk. So a directory
 * with the final name is always whole, and what an interrupted attempt left can be deleted without looking inside.
 */
export const initCluster = Effect.fn("InitCluster.run")(
  function*(directory: DataDirectory, binaries: Binaries, password: Redacted.Redacted): Effect.fn.Return<void, EmbeddedPostgresError> {
    const { account, base, data } = directory
    yield* sweepPartial(directory)
    const partial = partialPath(directory, String(process.pid))
    const passwordFile = `${partial}.password`
    yield* withPath(partial, () => {
      mkdirSync(partial, { mode: 0o700 })
      if (account.switched) chownSync(partial, account.uid, account.gid)
      writeWhole(passwordFile, `${Redacted.value(password)}\n`, { mode: 0o600, owner: account })
    })
    yield* run(binaries.initdb, [
      ...["-D", partial, "-U", "postgres", "-A", "scram-sha-256", `--pwfile=${passwordFile}`],
      ...["-c", "scram_iterations=1", "-c", "timezone=UTC"],
      // Compares by code point everywhere: an upgrade of the system's locales would silently break our indexes.
      ...["-E", "UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"],
      ...["--no-sync", "--no-instructions"]
    ], account).pipe(Effect.ensuring(Effect.sync(() => rmSync(passwordFile, { force: true }))))
    yield* withPath(partial, () => {
      writeWhole(join(partial, "pg_hba.conf"), hostBasedAuthentication, { mode: 0o600, owner: account })
      appendFileSync(join(partial, "postgresql.conf"), "\ninclude_if_exists = 'troupe.conf'\ninclude_if_exists = 'local.conf'\n")
    })
    yield* run(binaries.initdb, ["-D", partial, "--sync-only"], account)
    yield* withPath(data, () => {
      renameSync(partial, data)
      syncDirectory(base)
    })
  }
)

/** Sets the superuser's password without knowing it, which takes the directory's owner and a stopped server. */
export const resetPassword = Effect.fn("InitCluster.resetPassword")(
  function*({ account, data }: DataDirectory, binaries: Binaries, password: Redacted.Redacted): Effect.fn.Return<void, EmbeddedPostgresError> {
    const statement = `ALTER ROLE postgres PASSWORD '${Redacted.value(password)}'\n`
    yield* run(binaries.postgres, ["--single", "-D", data, "-c", "exit_on_error=on", "postgres"], account, statement)
  }
)

const run = (program: string, args: ReadonlyArray<string>, account: Account, input = "") =>
  Effect.callback<void, EmbeddedPostgresError>((resume) => {
    const child = spawn(program, args, {
      ...spawnAs(account),
      cwd: "/",
      env: { PATH: "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" },
      detached: true,
      stdio: ["pipe", "pipe", "pipe"]
    })
    let output = ""
    const fail = (detail: string) => resume(Effect.fail(embeddedPostgresError({ _tag: "InitFailed", output: output + detail })))
    child.stdout.on("data", (chunk) => output += chunk)
    child.stderr.on("data", (chunk) => output += chunk)
    child.on("error", (error) => fail(error.message))
    child.on("close", (code, signal) => code === 0 ? resume(Effect.void) : fail(`${program} ended with ${signal ?? code}`))
    child.stdin.on("error", () => {})
    child.stdin.end(input)
    return Effect.callback<void>((ended) => {
      child.on("close", () => ended(Effect.void))
      if (child.pid !== undefined) process.kill(-child.pid, "SIGTERM")
    })
  })
