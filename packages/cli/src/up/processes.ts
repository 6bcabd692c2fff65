import { existsSync, readFileSync } from "node:fs"

/** A process, named for good: by its number and when it began, since numbers are given out again. */
export interface ProcessName {
  readonly pid: number
  /** Null where the system does not say when processes began. */
  readonly startTicks: string | null
}

const hasProc = existsSync("/proc/self/stat")

/** Undefined when there is no such process, or only its exit code is left. */
const ticksOf = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    // The second field is the name in parentheses and may hold anything, parentheses included.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19]
  } catch {
    return undefined
  }
}

export const nameProcess = (pid: number): ProcessName => ({ pid, startTicks: ticksOf(pid) ?? null })

export const lives = ({ pid, startTicks }: ProcessName): boolean => {
  if (hasProc) return startTicks !== null && ticksOf(pid) === startTicks
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "EPERM"
  }
}

/** Sends a signal to a process, or to all of the group that it leads. One that has ended gets none. */
export const signal = (name: ProcessName, sent: NodeJS.Signals, to: "process" | "group" = "process"): void => {
  if (!lives(name)) return
  const target = to === "group" ? -name.pid : name.pid
  try {
    process.kill(target, sent)
    // A frozen process acts on nothing but SIGKILL until it is told to go on.
    process.kill(target, "SIGCONT")
  } catch {
    // It ended in between, or belongs to somebody else, which the wait that follows shows.
  }
}
