import { endingOf as endingOfCode } from "../endings.ts"
import type { Ending } from "../Sandbox.ts"

/** How a program ended: no file may be larger than the sandbox's disk, and who tries is told by a signal. */
export const endingOf = (code: number): Ending => {
  const ending = endingOfCode(code)
  return ending._tag === "Signalled" && ending.signal === "SIGXFSZ" ? { _tag: "OutOfDisk" } : ending
}
