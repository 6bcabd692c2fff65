import type { LogEvent } from "@troupe/client"
import { useMutation } from "@tanstack/react-query"
import { ChevronLeft, ChevronRight, GitFork } from "lucide-react"
import { memo, useDeferredValue, useLayoutEffect, useMemo, useRef } from "react"
import { troupe } from "../api/troupe.ts"
import { useGo, usePlace } from "../app/links.tsx"
import { useActions } from "../registry/actions.ts"
import { kindOf, subjectOfEvent } from "../session/log.logic.ts"
import { primaryOf, rowsOf } from "../session/rows.logic.ts"
import { TimelineRow } from "../session/TimelineRow.tsx"
import { JsonTree } from "../ui/JsonTree.tsx"
import { Problem } from "../ui/Problem.tsx"
import { count } from "../ui/format.logic.ts"
import { type Jump, jump, jumps, marksOf, momentAt, type Places, placesOf } from "./replay.logic.ts"
import { usePast } from "./usePast.ts"
import "../session/timeline.css"
import "./replay.css"

const titles: Readonly<Record<Jump, string>> = { turn: "Turn", approval: "Approval", error: "Error" }
const keysOf: Readonly<Record<Jump, string>> = { turn: "t", approval: "a", error: "e" }
const shownRows = 60

/** So far behind the place that was gone to, what is known is shown meanwhile. */
const behindMax = 1_000

const Marks = memo(({ length, places }: { readonly places: Places; readonly length: number }) => (
  <div className="scrub-marks" aria-hidden>
    {marksOf(places, length).map(({ kind, part }) => (
      <span key={`${kind}${part}`} className={kind} style={{ left: `${part * 100}%` }} />
    ))}
  </div>
))

/** A session at any moment: drag through its log, and the conversation and the state follow. */
const ReplayView = (props: {
  readonly sessionId: string
  readonly log: ReadonlyArray<LogEvent>
  readonly at: number | null
}) => {
  const { log, sessionId } = props
  const [, change] = usePlace()
  const at = Math.min(Math.max(1, props.at ?? log.length), log.length)
  const { known, past } = usePast(log)
  const isFar = at > known + behindMax
  const seq = useDeferredValue(Math.min(at, known))
  const places = useMemo(() => placesOf(log), [log])
  const moment = useMemo(() => momentAt(past, log, seq), [log, past, seq])
  const rows = useMemo(() => {
    const thread = primaryOf(past.timelines.at(log, seq))
    if (thread === null) return []
    // Each turn has a line at least.
    const shown = { ...thread, turns: thread.turns.slice(-shownRows) }
    return rowsOf(shown, new Map()).slice(-shownRows).reverse()
  }, [log, past, seq])
  const event = log[seq - 1]

  // Where the last key led, which may be further than what is drawn: the next one goes on from there.
  const here = useRef(at)
  useLayoutEffect(() => {
    here.current = at
  }, [at])

  const actions = useMemo(() => {
    const go = (next: number | null) => {
      if (next === null || next < 1 || next > log.length) return
      here.current = next
      change({ at: String(next) })
    }
    const step = (id: string, title: string, keys: string, next: () => number | null) => ({
      id,
      title,
      section: "Replay",
      keys,
      run: () => go(next())
    })
    return [
      step("step-back", "One event back", "left", () => here.current - 1),
      step("step-on", "One event on", "right", () => here.current + 1),
      ...jumps.flatMap((kind) => [
        step(`next-${kind}`, `Next ${kind}`, keysOf[kind], () => jump(places, here.current, 1, kind)),
        step(`previous-${kind}`, `Previous ${kind}`, `shift+${keysOf[kind]}`, () =>
          jump(places, here.current, -1, kind)
        )
      ])
    ]
  }, [change, log.length, places])
  useActions(actions)
  const go = useGo()
  const fork = useMutation({
    mutationFn: () => troupe.sessions.fork(sessionId, { seq: at }),
    onSuccess: ({ id }) => go(`sessions/${id}`)
  })
  const run = (id: string) => () => actions.find((action) => action.id === id)!.run()

  return (
    <div className="replay">
      <div className="scrub">
        <div className="scrub-buttons">
          <button type="button" className="button only-icon" aria-label="One event back" onClick={run("step-back")}>
            <ChevronLeft size={15} />
          </button>
          <button type="button" className="button only-icon" aria-label="One event on" onClick={run("step-on")}>
            <ChevronRight size={15} />
          </button>
          {jumps.map((kind) => (
            <button
              key={kind}
              type="button"
              className="button"
              disabled={places[kind].length === 0}
              onClick={run(jump(places, at, 1, kind) === null ? `previous-${kind}` : `next-${kind}`)}
            >
              <span className={`mark ${kind}`} aria-hidden /> {titles[kind]}
            </button>
          ))}
          <button
            type="button"
            className="button"
            disabled={fork.isPending}
            title="Another session, which goes on from here"
            onClick={() => fork.mutate()}
          >
            <GitFork size={13} /> <span className="optional">Fork from here</span>
          </button>
          <span className="scrub-place number">
            {at} <span className="faint">of {log.length}</span>
          </span>
        </div>
        {fork.error === null ? null : <Problem error={fork.error} />}
        <div className="scrub-track">
          <Marks places={places} length={log.length} />
          <input
            type="range"
            min={1}
            max={log.length}
            value={at}
            aria-label="Place in the log"
            aria-valuetext={`Event ${at} of ${log.length}, ${event?.type ?? ""}`}
            onChange={({ target }) => change({ at: target.value })}
          />
        </div>
      </div>
      {isFar ? (
        <p className="reading faint" role="status">
          Going through the log: {count(known)} of {count(at)} events
          <progress max={at} value={known} aria-label="Events that were gone through" />
        </p>
      ) : (
        <div className="replay-parts" data-at={seq}>
          <section className="replay-timeline" aria-label="Timeline at this place" tabIndex={0}>
            {rows.map((row) => (
              <div key={row.key} className="replay-row">
                <TimelineRow row={row} sessionId={sessionId} askKey={null} isPast />
              </div>
            ))}
          </section>
          <section className="replay-state" aria-label="State at this place" tabIndex={0}>
            {event === undefined ? null : (
              <header>
                <h2 className={`log-type ${kindOf(event.type)}`}>{event.type}</h2>
                <p className="soft">{subjectOfEvent(event)}</p>
                <time className="faint">{new Date(event.recorded_at).toLocaleString()}</time>
              </header>
            )}
            <h3>Changed by this event</h3>
            {moment.changes.length === 0 ? (
              <p className="faint">Nothing in the state.</p>
            ) : (
              <ul className="changes">
                {moment.changes.slice(0, 40).map(({ op, path }) => (
                  <li key={`${op}${path}`}>
                    <span className={`badge ${op === "add" ? "good" : op === "remove" ? "bad" : "warn"}`}>{op}</span>{" "}
                    <code>{path}</code>
                  </li>
                ))}
              </ul>
            )}
            <h3>State</h3>
            <JsonTree value={moment.state} marks={moment.changed} />
          </section>
        </div>
      )}
    </div>
  )
}
export default ReplayView
