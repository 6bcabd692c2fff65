import { readdirSync, readFileSync } from "node:fs"

/**
 * The container's processes by their numbers on this host, for what only the host can see of them: files that are open and
 * have no name. None where the engine is on another host. Control groups are named after containers, in both versions.
 */
export const hostProcesses = (container: string): ReadonlyArray<number> =>
  readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && isIn(container, pid))

const isIn = (container: string, pid: number): boolean => {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, "utf8").includes(container)
  } catch {
    // It ended in between.
    return false
  }
}
