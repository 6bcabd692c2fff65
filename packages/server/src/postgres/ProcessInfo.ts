import { readdirSync, readFileSync, readlinkSync } from "node:fs"

/**
 * When the process began, in clock ticks since boot. Together with the number it names a process for good: numbers are
 * given out again. `undefined` when there is no such process, or only its exit code is left.
 */
export const startTicks = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    // The second field is the name in parentheses and may hold anything, parentheses included.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19]
  } catch {
    return undefined
  }
}

/** The name and the working directory of a process, when it lives and we may look. */
export const describeProcess = (pid: number): { readonly name: string; readonly directory: string } | undefined => {
  if (startTicks(pid) === undefined) return undefined
  try {
    return { name: readFileSync(`/proc/${pid}/comm`, "utf8").trim(), directory: readlinkSync(`/proc/${pid}/cwd`) }
  } catch {
    return undefined
  }
}

export const allProcesses = (): ReadonlyArray<number> =>
  readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid))

/** The living processes that were started with such an argument. */
export const processesWithArgument = (matches: (argument: string) => boolean): ReadonlyArray<number> =>
  allProcesses().filter((pid) => {
    try {
      return startTicks(pid) !== undefined && readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").some(matches)
    } catch {
      return false
    }
  })
