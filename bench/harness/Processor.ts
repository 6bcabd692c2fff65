import { readFileSync, readdirSync } from "node:fs"

/** Fields of /proc/PID/stat that we use; times are in ticks of 10 ms. */
const stat = (pid: number) => {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8")
  // The second field is the name in parentheses and may hold anything.
  const fields = text
    .slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number)
  return { parent: fields[1]!, own: (fields[11]! + fields[12]!) * 10, ended: (fields[13]! + fields[14]!) * 10 }
}

/** Processor time of what a process has started and seen end, in milliseconds. */
export const endedMs = (pid: number): number => stat(pid).ended

/** Processor time of a process and of those it has started, in milliseconds: what no neighbour on the machine changes. */
export const processorMs = (pid: number): number => {
  const { ended, own } = stat(pid)
  let sum = own + ended
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue
    try {
      const child = stat(Number(name))
      if (child.parent === pid) sum += child.own
    } catch {
      // It ended while we looked, and counts among the ended.
    }
  }
  return sum
}
