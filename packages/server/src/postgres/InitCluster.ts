import { Effect, Redacted, Schedule } from "effect"
import { spawn, spawnSync } from "node:child_process"
import { chownSync, lstatSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { type Account, spawnAs } from "./Account.ts"
import type { Binaries } from "./Binaries.ts"
import type { DataDirectory } from "./DataDirectory.ts"
import { type EmbeddedPostgresError, embeddedPostgresError } from "./EmbeddedPostgresError.ts"
import { syncDirectory, withPath, writeWhole } from "./files.ts"
import { processesWithArgument } from "./ProcessInfo.ts"
import { hostBasedAuthentication, includes, localSettings } from "./Settings.ts"

/**
 * Makes the database directory under a provisional name and renames it when it is complete and on disk. So a directory
 * with the final name is always whole, and what an interrupted attempt left can be deleted without looking inside.
 */
export const initCluster = Effect.fn("InitCluster.run")(function* (
  directory: DataDirectory,
  binaries: Binaries,
  password: Redacted.Redacted
): Effect.fn.Return<void, EmbeddedPostgresError> {
  const { account, base, data } = directory
  yield* sweepPartial(directory)
  const partial = join(base, partialPrefix(directory) + process.pid)
  const passwordFile = `${partial}.password`
  yield* withPath(partial, () => {
    mkdirSync(partial, { mode: 0o700 })
    if (account.switched) chownSync(partial, account.uid, account.gid)
    writeWhole(passwordFile, `${Redacted.value(password)}\n`, { mode: 0o600, owner: account })
  })
  const options: Readonly<Record<string, string>> = {
    pgdata: partial,
    username: "postgres",
    auth: "scram-sha-256",
    pwfile: passwordFile,
    set: "scram_iterations=1",
    encoding: "UTF8",
    // Compares by code point everywhere: an upgrade of the system's locales would silently break our indexes.
    locale: "C",
    "locale-provider": "builtin",
    "builtin-locale": "C.UTF-8"
  }
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`)
  yield* run(binaries.initdb, [...args, "--no-sync", "--no-instructions"], account).pipe(
    Effect.ensuring(Effect.sync(() => rmSync(passwordFile, { force: true })))
  )
  const files = { "pg_hba.conf": hostBasedAuthentication, "postgresql.conf": includes, "local.conf": localSettings }
  for (const [name, content] of Object.entries(files)) {
    const path = join(partial, name)
    yield* withPath(path, () => writeWhole(path, content, { mode: 0o600, owner: account }))
  }
  yield* run(binaries.initdb, [`--pgdata=${partial}`, "--sync-only"], account)
  yield* withPath(data, () => {
    renameSync(partial, data)
    syncDirectory(base)
  })
})

const partialPrefix = ({ major }: DataDirectory) => `${major}.partial-`

/** Ends and removes interrupted attempts. Their initdb may still run: nothing tells it that its parent was killed. */
const sweepPartial = Effect.fnUntraced(function* (directory: DataDirectory) {
  const { account, base } = directory
  const sweep = withPath(base, () => {
    for (const name of readdirSync(base).filter((name) => name.startsWith(partialPrefix(directory)))) {
      for (const pid of processesWithArgument((argument) => argument.endsWith(join(base, name))))
        process.kill(pid, "SIGKILL")
      removeAs(account, join(base, name))
    }
    syncDirectory(base)
  })
  // A process that was just killed may still have made a file behind us.
  yield* Effect.retry(sweep, { times: 20, schedule: Schedule.spaced(50) })
})

// Root does not walk a tree that another account may rearrange meanwhile: that account empties it, root removes the top.
const removeAs = (account: Account, path: string): void => {
  if (account.switched && lstatSync(path).isDirectory()) {
    spawnSync("rm", ["-rf", path], { ...spawnAs(account), cwd: "/", stdio: "ignore" })
    rmdirSync(path)
  } else {
    rmSync(path, { recursive: true, force: true })
  }
}

/** Sets the superuser's password without knowing it, which takes the directory's owner and a stopped server. */
export const resetPassword = Effect.fn("InitCluster.resetPassword")(function* (
  { account, data }: DataDirectory,
  binaries: Binaries,
  password: Redacted.Redacted
): Effect.fn.Return<void, EmbeddedPostgresError> {
  const statement = `ALTER ROLE postgres PASSWORD '${Redacted.value(password)}'\n`
  yield* run(binaries.postgres, ["--single", "-D", data, "-c", "exit_on_error=on", "postgres"], account, statement)
})

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
    const fail = (detail: string) =>
      resume(Effect.fail(embeddedPostgresError({ _tag: "InitFailed", output: output + detail })))
    child.stdout.on("data", (chunk) => (output += chunk))
    child.stderr.on("data", (chunk) => (output += chunk))
    child.on("error", (error) => fail(error.message))
    child.on("close", (code, signal) =>
      code === 0 ? resume(Effect.void) : fail(`${program} ended with ${signal ?? code}`)
    )
    child.stdin.on("error", () => {})
    child.stdin.end(input)
    return Effect.callback<void>((ended) => {
      child.on("close", () => ended(Effect.void))
      if (child.pid !== undefined) process.kill(-child.pid, "SIGTERM")
    })
  })
