import { ChevronRight, CircleAlert } from "lucide-react"
import { memo, useState } from "react"
import { WorkspaceLink } from "../app/links.tsx"
import { Ago } from "../ui/Ago.tsx"
import { cost, duration, plural, short } from "../ui/format.logic.ts"
import { Markdown } from "../ui/Markdown.tsx"
import { Attached } from "./Attached.tsx"
import { ApprovalPanel } from "./ApprovalPanel.tsx"
import { Calls } from "./Calls.tsx"
import { wordsOf } from "./content.logic.ts"
import { endOf, workingText } from "./turn.logic.ts"
import { QueuedRow } from "./queue/QueuedRow.tsx"
import { QuestionPanel } from "./QuestionPanel.tsx"
import { type Row, stateOf } from "./rows.logic.ts"
import { CallDetails } from "./tools/renderers.tsx"
import { costOf, sumOf } from "./used.logic.ts"

type Of<Kind extends Row["kind"]> = Extract<Row, { readonly kind: Kind }>

const Said = ({ row }: { readonly row: Of<"message"> }) => (
  <div className="said">
    <div className="said-body">
      {wordsOf(row.item.content)}
      <Attached content={row.item.content} />
    </div>
    <span className="said-by faint">
      {row.item.from !== null ? "From another thread · " : row.item.steer ? "Steered · " : ""}
      <Ago at={row.item.at} />
    </span>
  </div>
)

const Thinking = ({ row }: { readonly row: Of<"thinking"> }) => {
  const [isOpen, setOpen] = useState(false)
  const { text } = row.item
  if (text === null) return <p className="faint">Thought, and the provider keeps what to itself</p>
  return (
    <div className="thinking">
      <button type="button" className="call-line" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <ChevronRight size={13} className="turn" aria-hidden />
        <span className="faint cut">{isOpen ? "Thought" : `Thought: ${text.slice(0, 200)}`}</span>
      </button>
      {isOpen ? <Markdown text={text} /> : null}
    </div>
  )
}

const Subagent = ({ row }: { readonly row: Of<"subagent"> }) => {
  const [isOpen, setOpen] = useState(false)
  const { at, durationMs, name, outcome, summary, task, used } = row.item
  const { light, text } = stateOf({ outcome, awaits: "nothing", startedAt: at })
  const totals = sumOf(used)
  const microUsd = costOf(totals)
  return (
    <div className="call">
      <button type="button" className="call-line" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <ChevronRight size={13} className="turn" aria-hidden />
        <span className={`dot ${light}`} role="img" aria-label={text} />
        <span className="call-name">Sub-agent {name}</span>
        <span className="cut soft">{task}</span>
        <span className="faint number">{durationMs === null ? "" : duration(durationMs)}</span>
      </button>
      {isOpen ? (
        <div className="subagent">
          <p className="soft">{task}</p>
          {summary === null ? <p className="faint">{text}</p> : <Markdown text={summary} />}
          <p className="faint">
            {plural(totals.modelRequests, "request")}, {short(totals.inputTokens + totals.outputTokens)} tokens
            {microUsd === null || microUsd === 0 ? "" : `, ${cost(microUsd)}`}
          </p>
        </div>
      ) : null}
    </div>
  )
}

const End = ({ row }: { readonly row: Of<"end"> }) => {
  const { attempts, ms, said, tone, tokens, microUsd } = endOf(row.turn)
  return (
    <div className={`turn-end ${tone}`}>
      <span>{said}</span>
      <span className="number">{duration(ms)}</span>
      {tokens === 0 ? null : <span className="number">{short(tokens)} tokens</span>}
      {microUsd === null || microUsd === 0 ? null : <span className="number">{cost(microUsd)}</span>}
      {attempts > 1 ? <span>{plural(attempts, "attempt")}</span> : null}
    </div>
  )
}

const Failed = ({ row }: { readonly row: Of<"error"> }) => {
  const { error, retryStatus } = row.item
  return (
    <div className="notice bad">
      <CircleAlert size={15} aria-hidden />
      <strong>{retryStatus === "retrying" ? "Something went wrong; it goes on trying" : "The turn failed"}</strong>
      <span>{error.message}</span>
      <code className="faint">{error.code}</code>
    </div>
  )
}

/** One line of the timeline, drawn as what it is. */
export const TimelineRow = memo(
  (props: {
    readonly row: Row
    readonly sessionId: string
    /** The call that the keys of the page answer. */
    readonly askKey: string | null
    /** Shown as it was: nothing of it can be answered now. */
    readonly isPast?: boolean
  }) => {
    const { askKey, isPast = false, row, sessionId } = props
    switch (row.kind) {
      case "message":
        return <Said row={row} />
      case "text":
        return <Markdown text={wordsOf(row.item.content)} />
      case "writing":
        return (
          <div className="writing" aria-live="off">
            <Markdown text={row.text} />
          </div>
        )
      case "thinking":
        return <Thinking row={row} />
      case "calls":
        return <Calls calls={row.calls} />
      case "asks": {
        if (isPast) return <Calls calls={[row.call]} />
        const { awaits, callId, input, inputDigest, name, question, reason, seq } = row.call
        const asked = { sessionId, callId, seq, hasKeys: callId === askKey }
        return awaits === "answer" ? (
          <QuestionPanel {...asked} question={question} />
        ) : (
          <ApprovalPanel {...asked} name={name} input={input} digest={inputDigest} reason={reason}>
            <CallDetails call={row.call} />
          </ApprovalPanel>
        )
      }
      case "subagent":
        return <Subagent row={row} />
      case "error":
        return <Failed row={row} />
      case "note":
        return (
          <p className={`note ${row.tone}`}>
            {row.text}{" "}
            {row.toConnect === undefined ? null : (
              <WorkspaceLink className="link" to={`mcp/${row.toConnect}`}>
                Connect
              </WorkspaceLink>
            )}
          </p>
        )
      case "working":
        return (
          <p className="working" role="status">
            <span className="dot running" aria-hidden /> {workingText(row.turn)}
          </p>
        )
      case "end":
        return <End row={row} />
      case "queued":
        return <QueuedRow row={row} sessionId={sessionId} />
    }
  }
)
