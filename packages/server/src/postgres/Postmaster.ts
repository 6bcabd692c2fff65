import { Clock, Effect } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { closeSync, existsSync, fstatSync, openSync, readSync, renameSync, statSync } from "node:fs"
import { createServer } from "node:net"
import { dirname } from "node:path"
import { type Account, spawnAs } from "./Account.ts"
import { type EmbeddedPostgresError, embeddedPostgresError } from "./EmbeddedPostgresError.ts"
import { makeDirectories, withPath } from "./files.ts"
import { isPostgresOn, type PostmasterFile, removeMisleadingFile, runningPostmaster } from "./PostmasterFile.ts"
import { allProcesses } from "./ProcessInfo.ts"

export interface Launch {
  readonly postgres: string
  readonly account: Account
  readonly data: string
  readonly socketDir: string
  readonly clusterName: string
  readonly logFile: string
  /** Tried first, so that the URL stays what it was over a restart. */
  readonly preferredPort: number | undefined
  readonly timeoutMs: number
  /** Called as soon as a process exists that somebody has to stop. */
  readonly onSpawn: (pid: number) => void
}

const attemptsMax = 8

/** Starts the server and waits until it accepts connections. */
export const startPostmaster = Effect.fn("Postmaster.start")(function* (
  launch: Launch
): Effect.fn.Return<PostmasterFile, EmbeddedPostgresError> {
  const deadline = (yield* Clock.currentTimeMillis) + launch.timeoutMs
  let port = launch.preferredPort ?? (yield* freePort)
  for (let attempt = 1; ; attempt++) {
    yield* stopOrphans(launch.data)
    yield* withPath(launch.data, () => removeMisleadingFile(launch.data))
    const outcome = yield* startOnce(launch, port, deadline)
    if (typeof outcome !== "string") return outcome
    if (attempt === attemptsMax) return yield* embeddedPostgresError({ _tag: "StartFailed", output: outcome })
    if (/could not (bind|create any TCP\/IP sockets)|lock file ".*\.s\.PGSQL/.test(outcome)) port = yield* freePort
    else if (!outcome.includes("pre-existing shared memory block")) {
      return yield* embeddedPostgresError({ _tag: "StartFailed", output: outcome })
    }
    yield* Effect.sleep(50 * attempt)
  }
})

/** Answers the end of the log when the server gave up, for the caller to decide whether another try can help. */
const startOnce = Effect.fnUntraced(function* (launch: Launch, port: number, deadline: number) {
  const log = yield* withPath(launch.logFile, () => openLog(launch.logFile))
  const child = spawnServer(launch, port, log.file)
  closeSync(log.file)
  let failure: string | undefined
  child.on("error", (error) => (failure = error.message))
  child.on("exit", (code, signal) => (failure = `Postgres ended with ${signal ?? code}`))
  if (child.pid !== undefined) launch.onSpawn(child.pid)
  while (true) {
    const running = runningPostmaster(launch.data)
    if (running !== undefined && running.pid === child.pid && running.status === "ready") {
      child.removeAllListeners()
      child.on("error", () => {})
      return running
    }
    if (failure !== undefined) return `${readTail(launch.logFile, log.from)}${failure}`
    const now = yield* Clock.currentTimeMillis
    if (now > deadline) {
      if (child.pid !== undefined) yield* Effect.ignore(stopPostmaster(child.pid, launch.data, { fastMs: 0 }))
      const output = readTail(launch.logFile, log.from)
      return yield* embeddedPostgresError({ _tag: "StartTimeout", afterMs: launch.timeoutMs, output })
    }
    yield* Effect.sleep(5)
  }
})

const spawnServer = (launch: Launch, port: number, log: number): ChildProcess => {
  const { account, data, postgres, socketDir } = launch
  const settings = ["-c", "listen_addresses=127.0.0.1", "-c", `cluster_name=${launch.clusterName}`]
  const child = spawn(postgres, ["-D", data, "-p", String(port), "-k", socketDir, ...settings], {
    ...spawnAs(account),
    // Postgres looks its own directory up, which fails where its account may not be.
    cwd: "/",
    // Nothing of our environment, which may hold keys.
    env: { PATH: "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C" },
    // A process group of its own: Ctrl-C reaches ours, and the database must be the last to stop.
    detached: true,
    stdio: ["ignore", log, log]
  })
  child.unref()
  return child
}

const logBytesMax = 16 * 1024 * 1024

const openLog = (path: string): { readonly file: number; readonly from: number } => {
  makeDirectories(dirname(path), 0o700)
  if (existsSync(path) && statSync(path).size > logBytesMax) renameSync(path, `${path}.1`)
  const file = openSync(path, "a", 0o600)
  return { file, from: fstatSync(file).size }
}

/** The last lines written after `from`. */
export const readTail = (path: string, from: number): string => {
  const file = openSync(path, "r")
  try {
    const { size } = fstatSync(file)
    const start = Math.max(from, size - 4096)
    const bytes = Buffer.alloc(Math.max(0, size - start))
    readSync(file, bytes, 0, bytes.length, start)
    return bytes.toString("utf8")
  } finally {
    closeSync(file)
  }
}

/** A port nobody has just now. Another program may be faster, so the start tries again with another one. */
const freePort = Effect.callback<number>((resume) => {
  const server = createServer()
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    server.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0)))
  })
}).pipe(Effect.repeat({ until: (port) => port !== 5432 }))

/** Ends sessions and stops cleanly; what does not obey in time is ended by force, which the next start recovers from. */
export const stopPostmaster = Effect.fn("Postmaster.stop")(function* (
  pid: number,
  data: string,
  options: { readonly fastMs?: number } = {}
): Effect.fn.Return<void, EmbeddedPostgresError> {
  const steps = [
    ["SIGINT", options.fastMs ?? 30_000],
    ["SIGQUIT", 5_000],
    ["SIGKILL", 5_000]
  ] as const
  for (const [signal, waitMs] of steps) {
    if (waitMs === 0) continue
    sendSignal(pid, data, signal)
    if (yield* endsWithin(pid, data, waitMs)) return
  }
  return yield* embeddedPostgresError({ _tag: "StopTimeout", pid })
})

const sendSignal = (pid: number, data: string, signal: NodeJS.Signals): void => {
  if (!isPostgresOn(pid, data)) return
  try {
    process.kill(pid, signal)
    // A frozen process acts on nothing but SIGKILL until it is told to go on.
    process.kill(pid, "SIGCONT")
  } catch {
    // It ended in between, or is not ours to stop, which the wait that follows reports.
  }
}

const endsWithin = Effect.fnUntraced(function* (pid: number, data: string, waitMs: number) {
  const deadline = (yield* Clock.currentTimeMillis) + waitMs
  while (isPostgresOn(pid, data)) {
    if ((yield* Clock.currentTimeMillis) > deadline) return false
    yield* Effect.sleep(5)
  }
  return true
})

/** Waits for the end of the server, whoever started it. */
export const awaitEnd = Effect.fnUntraced(function* (pid: number, data: string) {
  while (isPostgresOn(pid, data)) yield* Effect.sleep(100)
})

/**
 * The children of a server that was killed end by themselves at their next wait for a client, and until then they keep
 * its shared memory and stop a new server from starting. Nothing can be lost any more by ending them.
 */
const stopOrphans = Effect.fnUntraced(function* (data: string) {
  for (const pid of allProcesses()) {
    if (!isPostgresOn(pid, data)) continue
    sendSignal(pid, data, "SIGQUIT")
    if (!(yield* endsWithin(pid, data, 500))) sendSignal(pid, data, "SIGKILL")
    yield* endsWithin(pid, data, 5_000)
  }
})
