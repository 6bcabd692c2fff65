import type { LogEvent } from "@troupe/client"
import { useVirtualizer } from "@tanstack/react-virtual"
import { ChartNoAxesGantt } from "lucide-react"
import { useEffect, useMemo, useRef, useState } from "react"
import { useWholeTimeline } from "../session/WholeLog.tsx"
import { Empty } from "../ui/Empty.tsx"
import { cost, duration } from "../ui/format.logic.ts"
import { scaleOf, type Span, spansOf, tookAt } from "./trace.logic.ts"
import "./trace.css"

const rowHeight = 28
const ticks = [0, 0.25, 0.5, 0.75, 1]

const percent = (part: number) => `${part * 100}%`

const Line = (props: { readonly span: Span; readonly left: number; readonly width: number; readonly now: number }) => {
  const { left, now, span, width } = props
  const room = tookAt({ left, width })
  const took = duration((span.to ?? now) - span.from)
  return (
    <div className={`span depth-${span.depth}`}>
      <div className="span-name">
        <span className={`span-mark ${span.kind} ${span.isBad ? "wrong-span" : ""}`} aria-hidden />
        <strong>{span.name}</strong>
        <span className="faint cut">{span.detail}</span>
        {span.costMicroUsd === undefined ? null : (
          <span className="span-cost number soft optional">{cost(span.costMicroUsd)}</span>
        )}
      </div>
      <div className="span-track">
        <span
          className={`span-bar ${span.kind} ${span.isBad ? "wrong-span" : ""} ${span.to === null ? "open" : ""}`}
          style={{ left: percent(left), width: `max(3px, ${percent(width)})` }}
        />
        <span
          className={`span-took ${room} number`}
          style={
            room === "after"
              ? { left: percent(left + width) }
              : { right: percent(room === "before" ? 1 - left : 1 - left - width) }
          }
        >
          {took}
        </span>
      </div>
    </div>
  )
}

/** Where the time went: turns, and in them requests to models, calls of tools, and waits for people. */
const TraceView = ({ log }: { readonly log: ReadonlyArray<LogEvent> }) => {
  const timeline = useWholeTimeline(log)
  const scroller = useRef<HTMLDivElement>(null)
  const spans = useMemo(() => spansOf(timeline), [timeline])
  const isOpen = spans.some(({ to }) => to === null)
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    if (!isOpen) return
    const timer = window.setInterval(() => setNow(Date.now()), 1_000)
    return () => window.clearInterval(timer)
  }, [isOpen])
  const scale = useMemo(() => scaleOf(spans, now), [now, spans])
  const list = useVirtualizer({
    count: spans.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12
  })
  if (spans.length === 0) {
    return (
      <Empty icon={ChartNoAxesGantt} title="Nothing has run yet">
        <p>Turns, requests to models, calls and waits are drawn here by the time they took.</p>
      </Empty>
    )
  }
  return (
    <div ref={scroller} className="page-body trace" tabIndex={0} role="region" aria-label="Trace">
      <div className="trace-head">
        <span className="faint">Time of turns</span>
        <div className="span-track" aria-hidden>
          {ticks.map((part) => (
            <span key={part} className="tick number" style={part === 1 ? { right: 0 } : { left: percent(part) }}>
              {duration(scale.total * part)}
            </span>
          ))}
        </div>
      </div>
      <div style={{ height: list.getTotalSize(), position: "relative" }}>
        {list.getVirtualItems().map(({ index, start }) => {
          const span = spans[index]!
          return (
            <div key={span.key} className="at" style={{ transform: `translateY(${start}px)` }}>
              <Line span={span} now={now} {...scale.place(span)} />
            </div>
          )
        })}
      </div>
    </div>
  )
}
export default TraceView
