import { existsSync, readFileSync, realpathSync, rmSync } from "node:fs"
import { join } from "node:path"
import { describeProcess } from "./ProcessInfo.ts"

/** What a running server says about itself in `postmaster.pid`. */
export interface PostmasterFile {
  readonly pid: number
  readonly port: number
  readonly socketDir: string
  readonly status: "starting" | "ready" | "stopping"
}

/** The server that runs on this data directory, if one does. */
export const runningPostmaster = (data: string): PostmasterFile | undefined => {
  const lines = readLines(data)
  const pid = pidOf(lines)
  if (pid === undefined || !isPostgresOn(pid, data)) return undefined
  const status = lines[7]?.trim()
  return {
    pid,
    port: Number(lines[3]),
    socketDir: lines[4] ?? "",
    status: status === "ready" || status === "stopping" ? status : "starting"
  }
}

/**
 * Removes the files of a dead server whose process number exists, in its data directory and beside its socket. Postgres takes any process with that number for a
 * server, be it another program of ours or the dead one itself, which stays in the process table for good where the
 * first process of a container collects no children. The caller holds the home and has seen that no server runs.
 */
export const removeMisleadingFile = (data: string): void => {
  const lines = readLines(data)
  const pid = pidOf(lines)
  if (pid === undefined || !existsSync(`/proc/${pid}`) || isPostgresOn(pid, data)) return
  const [, , , port, socketDir] = lines
  if (socketDir?.startsWith("/") === true) {
    const socketLock = join(socketDir, `.s.PGSQL.${port}.lock`)
    // Somebody else's server may listen there by now.
    if (pidOf(readLock(socketLock)) === pid) rmSync(socketLock, { force: true })
  }
  rmSync(join(data, "postmaster.pid"), { force: true })
}

const readLines = (data: string): ReadonlyArray<string> => readLock(join(data, "postmaster.pid"))

const readLock = (path: string): ReadonlyArray<string> => {
  try {
    return readFileSync(path, "utf8").split("\n")
  } catch {
    return []
  }
}

// A single-user server signs with a negative number.
const pidOf = ([first]: ReadonlyArray<string>): number | undefined => Math.abs(Number(first)) || undefined

/**
 * The file outlives a killed server, and its process number may belong to someone else by now. A Postgres process has
 * its data directory as working directory, which nothing else has by chance.
 */
export const isPostgresOn = (pid: number, data: string): boolean => {
  const found = describeProcess(pid)
  return found !== undefined && found.name.startsWith("postgres") && found.directory === realpathSync(data)
}
