import type { LogEvent } from "@troupe/client"
import { useEffect, useState } from "react"
import { foldOn, newPast, type Past } from "./replay.logic.ts"

/** So long it folds at a time, before others have a turn. */
const atATimeMs = 12

/** What a session was at each place of its log, and up to where that is known so far. */
export const usePast = (log: ReadonlyArray<LogEvent>): { readonly past: Past; readonly known: number } => {
  const [past] = useState(newPast)
  const [known, setKnown] = useState(0)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const fold = () => {
      const end = performance.now() + atATimeMs
      let folded = foldOn(past, log)
      while (folded < log.length && performance.now() < end) folded = foldOn(past, log)
      setKnown(folded)
      timer = folded < log.length ? setTimeout(fold, 0) : undefined
    }
    fold()
    return () => clearTimeout(timer)
  }, [log, past])
  return { past, known }
}
