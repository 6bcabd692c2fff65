import { useVirtualizer } from "@tanstack/react-virtual"
import { ArrowDown } from "lucide-react"
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react"
import { useActions } from "../registry/actions.ts"
import { plural } from "../ui/format.logic.ts"
import { follow, isAtEnd, type Standing } from "./follow.logic.ts"
import type { Row } from "./rows.logic.ts"
import { TimelineRow } from "./TimelineRow.tsx"
import "./timeline.css"

/** What happened in a session, top to bottom. It stays at the end for whoever is there, and nowhere else. */
export const TimelineView = (props: {
  readonly rows: ReadonlyArray<Row>
  readonly sessionId: string
  readonly askKey: string | null
  readonly at: number | null
}) => {
  const { askKey, at, rows, sessionId } = props
  const scroller = useRef<HTMLDivElement>(null)
  const [standing, setStanding] = useState<Standing>({ atEnd: at === null, unseen: 0 })
  const known = useRef(rows.length)
  const list = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 64,
    getItemKey: (index) => rows[index]!.key,
    overscan: 8,
    paddingStart: 20,
    paddingEnd: 24
  })
  const height = list.getTotalSize()

  const toEnd = useCallback(() => {
    const box = scroller.current
    if (box !== null) box.scrollTop = box.scrollHeight
  }, [])
  const stayAtEnd = useCallback(() => {
    setStanding({ atEnd: true, unseen: 0 })
    toEnd()
  }, [toEnd])

  useEffect(() => {
    const next = follow(standing, rows.length - known.current)
    known.current = rows.length
    if (next.unseen !== standing.unseen) setStanding({ atEnd: next.atEnd, unseen: next.unseen })
  }, [rows.length, standing])

  // Heights change as rows are measured and text grows: the end is wherever it is now.
  useLayoutEffect(() => {
    if (standing.atEnd) toEnd()
  }, [height, rows, standing.atEnd, toEnd])

  const found = at === null ? -1 : rows.findIndex(({ seq }) => seq >= at)
  const hasGone = useRef(false)
  useEffect(() => {
    if (found < 0 || hasGone.current) return
    hasGone.current = true
    list.scrollToIndex(found, { align: "center" })
  }, [found, list])

  useActions(
    useMemo(
      () => [{ id: "to-end", title: "Go to the end", section: "Session", keys: "shift+g", run: stayAtEnd }],
      [stayAtEnd]
    )
  )

  return (
    <div className="timeline-frame">
      <div
        ref={scroller}
        className="timeline"
        role="log"
        aria-label="Timeline"
        aria-live="off"
        tabIndex={0}
        onScroll={(event) => {
          const atEnd = isAtEnd(event.currentTarget)
          if (atEnd !== standing.atEnd) setStanding({ atEnd, unseen: 0 })
        }}
      >
        <div style={{ height, position: "relative" }}>
          {list.getVirtualItems().map(({ index, key, start }) => (
            <div
              key={key}
              ref={list.measureElement}
              data-index={index}
              className={index === found ? "row found" : "row"}
              style={{ transform: `translateY(${start}px)` }}
            >
              <TimelineRow row={rows[index]!} sessionId={sessionId} askKey={askKey} />
            </div>
          ))}
        </div>
      </div>
      {standing.atEnd ? null : (
        <button type="button" className="button to-end" onClick={stayAtEnd}>
          <ArrowDown size={13} /> {standing.unseen === 0 ? "To the end" : `${plural(standing.unseen, "new line")}`}
        </button>
      )}
    </div>
  )
}
