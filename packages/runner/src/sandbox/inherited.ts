import { readdirSync, readFileSync } from "node:fs"

const closeOnExec = 0o2_000_000

/** Up to here Node has closed the way to its children itself, and our own launches use numbers. */
const lastOfOurs = 9

let known: ReadonlyArray<number> | undefined

/**
 * Descriptors that the runner was started with and would hand on. Node opens all of its own so that children do not get
 * them, so this is the same for the life of the process.
 */
export const inheritedDescriptors = (): ReadonlyArray<number> => {
  known ??= readdirSync("/proc/self/fdinfo")
    .map(Number)
    .filter((descriptor) => descriptor > lastOfOurs && isHandedOn(descriptor))
  return known
}

const isHandedOn = (descriptor: number): boolean => {
  try {
    const flags = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8"))?.[1]
    return flags !== undefined && (Number.parseInt(flags, 8) & closeOnExec) === 0
  } catch {
    // It was the one that read the directory.
    return false
  }
}
