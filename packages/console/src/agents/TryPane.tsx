import { useMutation } from "@tanstack/react-query"
import { X } from "lucide-react"
import { type FormEvent, useCallback, useState } from "react"
import { troupe } from "../api/troupe.ts"
import { WorkspaceLink } from "../app/links.tsx"
import { Composer } from "../session/Composer.tsx"
import { Commenting } from "../session/diff/useComments.ts"
import { currentTurn, firstAsk, primaryOf, rowsOf } from "../session/rows.logic.ts"
import { TimelineView } from "../session/TimelineView.tsx"
import { useFeed } from "../session/useFeed.ts"
import { Skeleton } from "../ui/Empty.tsx"
import { Keys } from "../ui/Keys.tsx"
import { Problem } from "../ui/Problem.tsx"
import { isOutdated, type Tried } from "./try.logic.ts"
import "../session/session.css"
import "./try.css"

const Begun = ({ sessionId, usualModel }: { readonly sessionId: string; readonly usualModel: string }) => {
  const { feed, view } = useFeed(sessionId)
  const thread = primaryOf(view.timeline)
  if (thread === null) return view.problem === null ? <Skeleton rows={3} /> : <Problem error={view.problem} />
  return (
    <>
      <Commenting value={sessionId}>
        <TimelineView
          rows={rowsOf(thread, view.writing)}
          chapters={view.chapters}
          fetchRows={feed.chapter}
          onReading={feed.reading}
          sessionId={sessionId}
          askKey={firstAsk(thread)?.callId ?? null}
          at={null}
        />
      </Commenting>
      <Composer sessionId={sessionId} hasTurn={currentTurn(thread) !== null} usualModel={usualModel} />
    </>
  )
}

/** A session with the agent as it is in the form, beside it. */
const TryPane = (props: { readonly name: string; readonly agent: Tried; readonly onClose: () => void }) => {
  const { agent, name, onClose } = props
  const [words, setWords] = useState("")
  const [begun, setBegun] = useState<{
    readonly agent: Tried
    readonly sessionId: string
    readonly model: string
  } | null>(null)
  const begin = useMutation({
    mutationFn: () =>
      troupe.sessions.create({
        agent: agent as never,
        title: `Try of ${name}`,
        initial_events: [{ type: "user.message", content: [{ type: "text", text: words.trim() }] }]
      }),
    onSuccess: (session) => {
      setBegun({ agent, sessionId: session.id, model: session.agent.model.id })
      setWords("")
    }
  })
  const anew = useCallback(() => setBegun(null), [])
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (words.trim() !== "" && !begin.isPending) begin.mutate()
  }
  return (
    <aside className="try" aria-label="Try">
      <header>
        <h2>Try</h2>
        {begun === null ? null : (
          <>
            <WorkspaceLink to={`sessions/${begun.sessionId}`} className="faint">
              Open the session
            </WorkspaceLink>
            <button type="button" className="button" onClick={anew}>
              Start anew
            </button>
          </>
        )}
        <button type="button" className="button quiet only-icon" aria-label="Close the try" onClick={onClose}>
          <X size={14} />
        </button>
      </header>
      {begun === null ? (
        <form className="try-begin" onSubmit={submit}>
          <label htmlFor="try-words">Say something to the agent as it is in the form; nothing has to be saved.</label>
          <textarea
            id="try-words"
            className="input"
            rows={4}
            autoFocus
            value={words}
            onChange={(event) => setWords(event.target.value)}
            onKeyDown={(event) => (event.metaKey || event.ctrlKey) && event.key === "Enter" && submit(event)}
          />
          {begin.error === null ? null : <Problem error={begin.error} />}
          <button type="submit" className="button first" disabled={words.trim() === "" || begin.isPending}>
            {begin.isPending ? "Starting …" : "Start"} <Keys of="mod+enter" />
          </button>
        </form>
      ) : (
        <>
          {isOutdated(begun.agent, agent) ? (
            <p className="try-note faint" role="status">
              The form has changed since. Start anew to try what is in it now.
            </p>
          ) : null}
          <Begun key={begun.sessionId} sessionId={begun.sessionId} usualModel={begun.model} />
        </>
      )}
    </aside>
  )
}
export default TryPane
