import { readFileSync, realpathSync } from "node:fs"
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
  let lines: ReadonlyArray<string>
  try {
    lines = readFileSync(join(data, "postmaster.pid"), "utf8").split("\n")
  } catch {
    return undefined
  }
  // A single-user server signs with a negative number.
  const pid = Math.abs(Number(lines[0]))
  if (!Number.isInteger(pid) || pid === 0 || !isPostgresOn(pid, data)) return undefined
  const status = lines[7]?.trim()
  return {
    pid,
    port: Number(lines[3]),
    socketDir: lines[4] ?? "",
    status: status === "ready" || status === "stopping" ? status : "starting"
  }
}

/**
 * The file outlives a killed server, and its process number may belong to someone else by now. A Postgres process has
 * its data directory as working directory, which nothing else has by chance.
 */
export const isPostgresOn = (pid: number, data: string): boolean => {
  const found = describeProcess(pid)
  return found !== undefined && found.name.startsWith("postgres") && found.directory === realpathSync(data)
}
