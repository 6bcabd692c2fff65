import { constants } from "node:os"
import type { Ending } from "../Sandbox.ts"

const signalNames = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]))

/** How a program ended by the code of the shell that waited for it, which says 128 and the signal's number. */
export const endingOf = (code: number): Ending => {
  const signal = code > 128 ? signalNames.get(code - 128) : undefined
  if (signal === undefined) return { _tag: "Exited", code }
  // No file may be larger than the sandbox's disk.
  return signal === "SIGXFSZ" ? { _tag: "OutOfDisk" } : { _tag: "Signalled", signal }
}
