import { readFileSync } from "node:fs"

/** What of the machine's memory is a process's own, with its part of what it shares. */
export const residentKiB = (pid: number | string): number =>
  Number(/Pss:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0)

/** Loads what collects garbage when a process is told to. */
export const collecting = ["--import", new URL("./collecting.ts", import.meta.url).href]

const settleMs = 500

/** The same of a process that was started with `collecting`, once it has let go of what it does not need. */
export const neededKiB = async (pid: number): Promise<number> => {
  for (let n = 0; n < 3; n++) {
    process.kill(pid, "SIGUSR2")
    await new Promise((resolve) => setTimeout(resolve, settleMs))
  }
  return residentKiB(pid)
}
