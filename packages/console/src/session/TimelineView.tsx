import { useVirtualizer } from "@tanstack/react-virtual"
import { ArrowDown } from "lucide-react"
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react"
import { usePlace, useWorkspace } from "../app/links.tsx"
import { useActions } from "../registry/actions.ts"
import { copyText } from "../ui/clipboard.ts"
import { plural } from "../ui/format.logic.ts"
import { Problem } from "../ui/Problem.tsx"
import type { Chapter } from "./chapters.logic.ts"
import { follow, isAtEnd, type Standing } from "./follow.logic.ts"
import { LineLink } from "./LineLink.tsx"
import { lineAt, linkTo, placeOfLine } from "./permalink.logic.ts"
import type { Row } from "./rows.logic.ts"
import { TimelineRow } from "./TimelineRow.tsx"
import { type Gap, type Line, useHistory } from "./useHistory.ts"
import "./timeline.css"

const rowPx = 64
const heightOf = ({ chapter }: Gap): number => chapter.rows * rowPx

/** A part of the past that is in sight. */
const GapLine = ({ gap, onSeen }: { readonly gap: Gap; readonly onSeen: (chapter: Chapter) => void }) => {
  const { chapter } = gap
  // For as long as it is seen: what could not be read now can be in a moment.
  useEffect(() => {
    onSeen(chapter)
    const again = setInterval(() => onSeen(chapter), 1_000)
    return () => clearInterval(again)
  }, [chapter, onSeen])
  return (
    <p className="gap faint" style={{ height: heightOf(gap) }} role="status">
      <span>Reading what was before …</span>
    </p>
  )
}

/** What happened in a session, top to bottom. It stays at the end for whoever is there, and nowhere else. */
export const TimelineView = (props: {
  readonly rows: ReadonlyArray<Row>
  readonly chapters: ReadonlyArray<Chapter>
  readonly fetchRows: (chapter: Chapter) => Promise<ReadonlyArray<Row> | null>
  readonly onReading: (isReading: boolean) => void
  readonly sessionId: string
  readonly askKey: string | null
  readonly at: number | null
}) => {
  const { askKey, at, chapters, fetchRows, onReading, rows, sessionId } = props
  const { lines, open, past, problem } = useHistory(chapters, rows, fetchRows)
  const [, change] = usePlace()
  const page = `/w/${useWorkspace()}/sessions/${sessionId}`
  const scroller = useRef<HTMLDivElement>(null)
  const [standing, setStanding] = useState<Standing>({ atEnd: at === null, unseen: 0 })
  const total = chapters.reduce((sum, chapter) => sum + chapter.rows, 0) + rows.length
  const known = useRef(total)
  const list = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => {
      const line = lines[index]!
      return line.kind === "gap" ? heightOf(line) : rowPx
    },
    getItemKey: (index) => lines[index]!.key,
    overscan: 8,
    paddingStart: 20,
    paddingEnd: 24
  })
  const height = list.getTotalSize()
  const items = list.getVirtualItems()
  /** Some lines are drawn that are not in sight. A gap among them is left alone: it is one line, and much to read. */
  const isInSight = (index: number) =>
    list.range !== null && index >= list.range.startIndex && index <= list.range.endIndex
  const onSeen = useCallback((chapter: Chapter) => void open(chapter), [open])

  const toEnd = useCallback(() => {
    const box = scroller.current
    if (box !== null) box.scrollTop = box.scrollHeight
  }, [])
  const stayAtEnd = useCallback(() => {
    setStanding({ atEnd: true, unseen: 0 })
    toEnd()
  }, [toEnd])

  useEffect(() => {
    const next = follow(standing, total - known.current)
    known.current = total
    if (next.unseen !== standing.unseen) setStanding({ atEnd: next.atEnd, unseen: next.unseen })
  }, [standing, total])
  useEffect(() => onReading(!standing.atEnd), [onReading, standing.atEnd])

  // What was at the top stays there, whatever takes the place of what is above it.
  const anchor = useRef<{ readonly key: string; readonly below: number } | null>(null)
  const drawn = useRef(past)
  useLayoutEffect(() => {
    const box = scroller.current
    const isOther = drawn.current !== past
    drawn.current = past
    if (!isOther || standing.atEnd || box === null) return
    const place = list.measurementsCache[lines.findIndex(({ key }) => key === anchor.current?.key)]
    if (place !== undefined) box.scrollTop = place.start + anchor.current!.below
  }, [lines, list, past, standing.atEnd])

  // Heights change as rows are measured and text grows: the end is wherever it is now.
  useLayoutEffect(() => {
    if (standing.atEnd) toEnd()
  }, [height, lines, standing.atEnd, toEnd])

  const found = at === null ? -1 : lineAt(lines, at)
  const foundLine: Line | undefined = lines[found]
  /** The place that was gone to: a link that is taken from here leads to where one is. */
  const gone = useRef<number | null>(null)
  useEffect(() => {
    if (foundLine === undefined || gone.current === at) return
    if (foundLine.kind === "gap") void open(foundLine.chapter)
    else {
      gone.current = at
      list.scrollToIndex(found, { align: "center" })
    }
  }, [at, found, foundLine, list, open])
  const mark = useCallback(
    (place: number) => {
      gone.current = place
      // Elsewhere, as beside an agent that is tried, the address is about something else.
      if (window.location.pathname === page) change({ at: String(place) })
    },
    [change, page]
  )
  /** What somebody means who says "here": the last line for whoever is at the end, else the first in sight. */
  const copyPlace = useCallback(() => {
    const { endIndex, startIndex } = list.range ?? { startIndex: 0, endIndex: 0 }
    const inSight = lines.slice(startIndex, endIndex + 1).flatMap((line) => placeOfLine(line) ?? [])
    const place = standing.atEnd ? inSight.at(-1) : inSight[0]
    if (place === undefined) return
    void copyText(window.location.origin + linkTo(page, place)).then(() => mark(place))
  }, [lines, list, mark, page, standing.atEnd])

  useActions(
    useMemo(
      () => [
        { id: "to-end", title: "Go to the end", section: "Session", keys: "shift+g", run: stayAtEnd },
        {
          id: "copy-place",
          title: "Copy a link to this place",
          section: "Session",
          words: "permalink share",
          keys: "shift+l",
          run: copyPlace
        }
      ],
      [copyPlace, stayAtEnd]
    )
  )

  return (
    <div className="timeline-frame">
      {problem === null ? null : (
        <div className="above">
          <Problem error={problem} />
        </div>
      )}
      <div
        ref={scroller}
        className="timeline"
        role="log"
        aria-label="Timeline"
        aria-live="off"
        tabIndex={0}
        onScroll={(event) => {
          const box = event.currentTarget
          const atEnd = isAtEnd(box)
          const top = list.getVirtualItemForOffset(box.scrollTop)
          const line = top === undefined ? undefined : lines[top.index]
          // A gap that will be rows is held by what is below it.
          const held = line?.kind === "gap" ? lines[top!.index + 1] : line
          const place = held === undefined ? undefined : list.measurementsCache[lines.indexOf(held)]
          anchor.current =
            held === undefined || place === undefined ? null : { key: held.key, below: box.scrollTop - place.start }
          if (atEnd !== standing.atEnd) setStanding({ atEnd, unseen: 0 })
        }}
      >
        <div style={{ height, position: "relative" }}>
          {items.map(({ index, key, start }) => {
            const line = lines[index]!
            const place = line.kind === "gap" ? null : placeOfLine(line)
            return (
              <div
                key={key}
                ref={list.measureElement}
                data-index={index}
                className={index === found ? "row found" : "row"}
                style={{ transform: `translateY(${start}px)` }}
              >
                {place === null ? null : <LineLink page={page} at={place} onTaken={mark} />}
                {line.kind !== "gap" ? (
                  <TimelineRow row={line} sessionId={sessionId} askKey={askKey} />
                ) : isInSight(index) ? (
                  <GapLine gap={line} onSeen={onSeen} />
                ) : (
                  <div style={{ height: heightOf(line) }} />
                )}
              </div>
            )
          })}
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
