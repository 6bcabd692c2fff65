import type { TimelineCall } from "@troupe/domain/session/Timeline"
import { ChevronRight } from "lucide-react"
import { memo, useState } from "react"
import { duration } from "../ui/format.logic.ts"
import { subjectOf } from "./content.logic.ts"
import { isOpen, stateOf, summaryOf } from "./rows.logic.ts"
import { CallDetails } from "./tools/renderers.tsx"

const CallLine = memo(({ call }: { readonly call: TimelineCall }) => {
  const [isUnfolded, setUnfolded] = useState(false)
  const { light, text } = stateOf(call)
  return (
    <div className="call">
      <button type="button" className="call-line" aria-expanded={isUnfolded} onClick={() => setUnfolded(!isUnfolded)}>
        <ChevronRight size={13} className="turn" aria-hidden />
        <span className={`dot ${light}`} role="img" aria-label={text} />
        <span className="call-name">{call.server === null ? call.name : `${call.server} · ${call.name}`}</span>
        <code className="cut soft">{subjectOf(call.name, call.editedInput ?? call.input)}</code>
        <span className="faint number">{call.durationMs === null ? "" : duration(call.durationMs)}</span>
      </button>
      {isUnfolded ? <CallDetails call={call} /> : null}
    </div>
  )
})

/** Calls that belong together: a line that says what they did, and all of them under it. */
export const Calls = memo(({ calls }: { readonly calls: ReadonlyArray<TimelineCall> }) => {
  const isLive = calls.some(isOpen)
  const went = calls.some(({ isError }) => isError)
  const [choice, setChoice] = useState<boolean | null>(null)
  if (calls.length === 1) return <CallLine call={calls[0]!} />
  const isUnfolded = choice ?? (isLive || calls.length <= 3)
  return (
    <div className="calls">
      <button
        type="button"
        className="call-line group"
        aria-expanded={isUnfolded}
        onClick={() => setChoice(!isUnfolded)}
      >
        <ChevronRight size={13} className="turn" aria-hidden />
        <span className="soft">{summaryOf(calls)}</span>
        {went ? <span className="badge bad">with errors</span> : null}
      </button>
      {isUnfolded ? calls.map((call) => <CallLine key={call.callId} call={call} />) : null}
    </div>
  )
})
