import type { LogEvent } from "@troupe/client"
import type { Json } from "@troupe/domain/Json"
import { useVirtualizer } from "@tanstack/react-virtual"
import { useDeferredValue, useEffect, useMemo, useRef, useState } from "react"
import { usePlace } from "../app/links.tsx"
import { CopyButton } from "../ui/CopyButton.tsx"
import { JsonTree } from "../ui/JsonTree.tsx"
import { found, kindOf, subjectOfEvent } from "./log.logic.ts"
import "./log.css"

const Details = ({ event }: { readonly event: LogEvent }) => {
  const { payload, ...envelope } = event
  const link = `${window.location.origin}${window.location.pathname}?tab=log&at=${event.seq}`
  return (
    <aside className="log-details" aria-label={`Event ${event.seq}`}>
      <header>
        <h2>
          {event.seq} · {event.type}
        </h2>
        <CopyButton label="Copy a link to this event" text={link} />
      </header>
      <h3>Payload</h3>
      {payload === null ? (
        <p className="faint">Redacted. Its place in the chain is still proved.</p>
      ) : (
        <JsonTree value={payload as Json} />
      )}
      <h3>Envelope</h3>
      <JsonTree value={envelope as unknown as Json} openTo={0} />
    </aside>
  )
}

/** Every event as it was recorded, with all that proves it. */
const LogView = ({ at, log }: { readonly log: ReadonlyArray<LogEvent>; readonly at: number | null }) => {
  const [, change] = usePlace()
  const [wanted, setWanted] = useState("")
  const words = useDeferredValue(wanted)
  const events = useMemo(() => found(log, words), [log, words])
  const scroller = useRef<HTMLDivElement>(null)
  const rows = useVirtualizer({
    count: events.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 28,
    overscan: 20
  })
  const chosen = at === null ? undefined : log[at - 1]
  const hasGone = useRef(false)
  useEffect(() => {
    if (hasGone.current || at === null || events.length < at) return
    hasGone.current = true
    rows.scrollToIndex(at - 1, { align: "center" })
  }, [at, events.length, rows])
  return (
    <div className="log">
      <div className="log-list">
        <div className="log-find">
          <input
            className="input"
            type="search"
            aria-label="Find events"
            placeholder="Find by type or content"
            value={wanted}
            onChange={(event) => setWanted(event.target.value)}
          />
          <span className="faint number">
            {events.length === log.length ? log.length : `${events.length} of ${log.length}`} events
          </span>
        </div>
        <div ref={scroller} className="page-body" role="region" aria-label="Events" tabIndex={0}>
          <div style={{ height: rows.getTotalSize(), position: "relative" }}>
            {rows.getVirtualItems().map(({ index, start }) => {
              const event = events[index]!
              return (
                <button
                  key={event.seq}
                  type="button"
                  className={event.seq === at ? "log-row chosen" : "log-row"}
                  style={{ transform: `translateY(${start}px)` }}
                  aria-pressed={event.seq === at}
                  onClick={() => change({ at: String(event.seq) })}
                >
                  <span className="faint number">{event.seq}</span>
                  <span className={`log-type ${kindOf(event.type)}`}>{event.type}</span>
                  <span className="cut soft">{subjectOfEvent(event)}</span>
                  <time className="faint">{event.recorded_at.slice(11, 23)}</time>
                </button>
              )
            })}
          </div>
        </div>
      </div>
      {chosen === undefined ? null : <Details event={chosen} />}
    </div>
  )
}
export default LogView
