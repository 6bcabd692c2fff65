import { createHash, randomInt } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"

/**
 * A birthmark is what every descendant of a process carries, whatever it does with its parents, groups and sessions: a number
 * as its limit of file locks, which no kernel since 2.6 looks at. Nothing of it shows in the environment. A process may lower
 * it, so it finds the forgotten and not the hostile, who are held by namespaces and control groups.
 */
const perSandbox = 16_777_216

const tagOf = (sandboxId: string) => {
  const digest = createHash("sha256").update(sandboxId).digest()
  return digest.readUIntBE(0, 3) + 1
}

/** A birthmark for one exec of the sandbox. */
export const newBirthmark = (sandboxId: string): number => tagOf(sandboxId) * perSandbox + randomInt(perSandbox)

export const isBirthmarkOf = (sandboxId: string, mark: number): boolean =>
  Math.floor(mark / perSandbox) === tagOf(sandboxId)

export const birthmarkArgument = (mark: number): string => `--locks=${mark}:${mark}`

export const birthmarkOf = (pid: number): number | undefined => {
  try {
    const limits = readFileSync(`/proc/${pid}/limits`, "utf8")
    const found = /^Max file locks\s+\S+\s+(\d+)/m.exec(limits)?.[1]
    return found === undefined ? undefined : Number(found)
  } catch {
    return undefined
  }
}

export const processesMarked = (matches: (mark: number) => boolean): ReadonlyArray<number> =>
  readdirSync("/proc")
    .map(Number)
    .filter((pid) => {
      const mark = Number.isInteger(pid) ? birthmarkOf(pid) : undefined
      return mark !== undefined && matches(mark)
    })

/** When the process began, in ticks since boot: with its number, that names it for good. */
export const startTicks = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    // The second field is a name in parentheses, and may hold anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19]
  } catch {
    return undefined
  }
}

export const sendSignal = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal)
  } catch {
    // It ended in between.
  }
}
