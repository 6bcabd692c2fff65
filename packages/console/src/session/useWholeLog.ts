import type { LogEvent } from "@troupe/client"
import { useEffect, useRef, useState } from "react"
import { readLog } from "./readLog.ts"

const partSize = 5_000
const againMs = 2_000

interface Whole {
  readonly log: ReadonlyArray<LogEvent>
  readonly problem: unknown
}

/** All events of a session, for views that need every one of them, for as long as they are on the screen. */
export const useWholeLog = (sessionId: string, seen: number): Whole => {
  const [whole, setWhole] = useState<Whole>({ log: [], problem: null })
  const goal = useRef({ seen, more: () => {} })
  useEffect(() => {
    goal.current.seen = seen
    goal.current.more()
  }, [seen])
  useEffect(() => {
    const stopped = new AbortController()
    const { signal } = stopped
    const follow = async () => {
      let have = 0
      while (!signal.aborted) {
        const to = Math.min(goal.current.seen, have + partSize)
        if (to > have) {
          const events = await readLog(sessionId, have + 1, to, signal)
          have += events.length
          setWhole(({ log }) => ({ log: log.concat(events), problem: null }))
        } else {
          await new Promise<void>((resolve) => {
            goal.current.more = resolve
          })
        }
      }
    }
    const begin = (): Promise<void> =>
      follow().catch((problem: unknown) => {
        if (signal.aborted) return
        setWhole({ log: [], problem })
        setTimeout(() => void (signal.aborted || begin()), againMs)
      })
    void begin()
    return () => stopped.abort()
  }, [sessionId])
  return whole
}
