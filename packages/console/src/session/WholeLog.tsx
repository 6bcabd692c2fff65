import type { LogEvent } from "@troupe/client"
import { initial, type Timeline } from "@troupe/domain/session/Timeline"
import { type ReactNode, useMemo, useRef } from "react"
import { count } from "../ui/format.logic.ts"
import { Problem } from "../ui/Problem.tsx"
import { placeOn } from "./place.logic.ts"
import { useWholeLog } from "./useWholeLog.ts"

/** What needs every event of a session. They are read for it, and let go of with it. */
export const WholeLog = (props: {
  readonly sessionId: string
  readonly seen: number
  readonly children: (log: ReadonlyArray<LogEvent>) => ReactNode
}) => {
  const { children, seen, sessionId } = props
  const { log, problem } = useWholeLog(sessionId, seen)
  const wasWhole = useRef(false)
  wasWhole.current ||= log.length >= seen
  if (problem !== null) {
    return (
      <div className="above">
        <Problem error={problem} />
      </div>
    )
  }
  if (wasWhole.current) return children(log)
  return (
    <p className="reading faint" role="status">
      Reading the log: {count(log.length)} of {count(seen)} events
      <progress max={seen} value={log.length} aria-label="Events that were read" />
    </p>
  )
}

/** All turns of a session, folded on as its log grows. */
export const useWholeTimeline = (log: ReadonlyArray<LogEvent>): Timeline => {
  const folded = useRef({ events: 0, timeline: initial })
  return useMemo(() => {
    const { events, timeline } = folded.current
    folded.current = { events: log.length, timeline: log.slice(events).reduce(placeOn, timeline) }
    return folded.current.timeline
  }, [log])
}
