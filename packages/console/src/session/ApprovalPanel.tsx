import type { TimelineCall } from "@troupe/domain/session/Timeline"
import { useMutation } from "@tanstack/react-query"
import { ShieldQuestion } from "lucide-react"
import { useMemo, useRef, useState } from "react"
import { useActions } from "../registry/actions.ts"
import { Keys } from "../ui/Keys.tsx"
import { Problem } from "../ui/Problem.tsx"
import { allow, deny } from "./act.ts"
import { CallDetails } from "./tools/renderers.tsx"

/** A call that waits to be allowed, with what it would do and the keys that answer it. */
export const ApprovalPanel = (props: {
  readonly sessionId: string
  readonly call: TimelineCall
  /** Whether the keys are its own: they are the first one's that waits. */
  readonly hasKeys: boolean
}) => {
  const { call, hasKeys, sessionId } = props
  const [isDenying, setDenying] = useState(false)
  const [message, setMessage] = useState("")
  const words = useRef<HTMLInputElement>(null)
  const answer = useMutation({
    mutationFn: (isAllowed: boolean) =>
      isAllowed ? allow(sessionId, call.callId) : deny(sessionId, call.callId, message)
  })
  const { isPending, isSuccess, mutate } = answer
  const actions = useMemo(() => {
    if (!hasKeys || isPending || isSuccess) return []
    const beginDenying = () => {
      setDenying(true)
      window.setTimeout(() => words.current?.focus(), 0)
    }
    return [
      { id: "allow", title: "Allow the call", section: "Session", keys: "y", run: () => mutate(true) },
      { id: "deny", title: "Deny the call", section: "Session", keys: "n", run: beginDenying }
    ]
  }, [hasKeys, isPending, isSuccess, mutate])
  useActions(actions)
  return (
    <section className="ask" aria-label={`Approval of ${call.name}`}>
      <h3>
        <ShieldQuestion size={15} aria-hidden /> May it call <code>{call.name}</code>?
      </h3>
      <CallDetails call={call} />
      {isDenying ? (
        <form
          className="ask-answer"
          onSubmit={(event) => {
            event.preventDefault()
            mutate(false)
          }}
        >
          <input
            ref={words}
            className="input"
            placeholder="Say why, or what to do instead (optional)"
            aria-label="Why it is denied"
            value={message}
            onChange={(event) => setMessage(event.target.value)}
            onKeyDown={(event) => event.key === "Escape" && setDenying(false)}
          />
          <button type="submit" className="button danger" disabled={isPending}>
            Deny <Keys of="enter" />
          </button>
        </form>
      ) : (
        <div className="ask-answer">
          <button type="button" className="button first" disabled={isPending || isSuccess} onClick={() => mutate(true)}>
            Allow <Keys of="y" />
          </button>
          <button type="button" className="button" disabled={isPending || isSuccess} onClick={() => setDenying(true)}>
            Deny <Keys of="n" />
          </button>
        </div>
      )}
      {answer.error === null ? null : <Problem error={answer.error} />}
    </section>
  )
}
