import { constants } from "node:os"
import type { Ending } from "./Sandbox.ts"

const signals = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]))

/**
 * How a process ended, from the code that shells and containers report: 128 and more say by which signal. Where a file must
 * not grow as large as a process writes it, the kernel sends SIGXFSZ.
 */
export const endingOf = (code: number): Ending => {
  const signal = code > 128 ? signals.get(code - 128) : undefined
  if (signal === "SIGXFSZ") return { _tag: "OutOfDisk" }
  return signal === undefined ? { _tag: "Exited", code } : { _tag: "Signalled", signal }
}
