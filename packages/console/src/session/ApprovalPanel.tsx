import type { Json } from "@troupe/domain/Json"
import { useMutation, useQueryClient } from "@tanstack/react-query"
import { ShieldQuestion } from "lucide-react"
import { type ReactNode, useMemo, useState } from "react"
import type { ApprovalAnswer } from "@troupe/client"
import { troupe } from "../api/troupe.ts"
import { AskLink } from "../inbox/AskLink.tsx"
import { useActions } from "../registry/actions.ts"
import { Keys } from "../ui/Keys.tsx"
import { Problem } from "../ui/Problem.tsx"
import { allowance, allowedWith, denial, readArguments, textOf } from "./approval.logic.ts"

type Step = "choose" | "deny" | "edit"

const Denying = (props: {
  readonly isPending: boolean
  readonly onDeny: (answer: ApprovalAnswer) => void
  readonly onBack: () => void
}) => {
  const [words, setWords] = useState("")
  return (
    <form
      className="ask-answer"
      onSubmit={(event) => {
        event.preventDefault()
        props.onDeny(denial(words))
      }}
    >
      <input
        autoFocus
        className="input"
        placeholder="Say why, or what to do instead (optional)"
        aria-label="Why it is denied"
        value={words}
        onChange={(event) => setWords(event.target.value)}
        onKeyDown={(event) => event.key === "Escape" && props.onBack()}
      />
      <button type="submit" className="button danger" disabled={props.isPending}>
        Deny <Keys of="enter" />
      </button>
    </form>
  )
}

const Editing = (props: {
  readonly input: Json
  readonly isPending: boolean
  readonly onAllow: (answer: ApprovalAnswer) => void
  readonly onBack: () => void
}) => {
  const [text, setText] = useState(() => textOf(props.input))
  const read = readArguments(text)
  const submit = () => {
    if (read._tag === "Read") props.onAllow(allowedWith(read.input))
  }
  return (
    <div className="ask-edit">
      <textarea
        autoFocus
        className="input code"
        rows={Math.min(14, text.split("\n").length + 1)}
        aria-label="Arguments"
        aria-invalid={read._tag === "Wrong"}
        value={text}
        spellCheck={false}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") props.onBack()
          else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit()
        }}
      />
      <div className="ask-answer">
        <button
          type="button"
          className="button first"
          disabled={read._tag === "Wrong" || props.isPending}
          onClick={submit}
        >
          Allow with these <Keys of="mod+enter" />
        </button>
        <button type="button" className="button quiet" onClick={props.onBack}>
          Back
        </button>
        {read._tag === "Wrong" ? <span className="wrong">{read.why}</span> : null}
      </div>
    </div>
  )
}

/** A call that waits to be allowed, with what it would do and the keys that answer it. */
export const ApprovalPanel = (props: {
  readonly sessionId: string
  readonly callId: string
  /** Where in the log it was asked. */
  readonly seq: number
  readonly name: string
  readonly input: Json
  /** Of what is shown. */
  readonly digest: string
  readonly reason: string | null
  /** What it would do, drawn. */
  readonly children: ReactNode
  /** Whether the keys are its own: they are one call's at a time. */
  readonly hasKeys: boolean
  readonly onAnswered?: () => void
}) => {
  const { callId, digest, hasKeys, input, name, onAnswered, reason, seq, sessionId } = props
  const client = useQueryClient()
  const [step, setStep] = useState<Step>("choose")
  const answer = useMutation({
    mutationFn: (body: ApprovalAnswer) => troupe.sessions.approvals.answer(sessionId, callId, body),
    onSuccess: () => {
      onAnswered?.()
      void client.invalidateQueries({ queryKey: ["inbox"] })
    }
  })
  const { isPending, isSuccess, mutate } = answer
  const isDone = isPending || isSuccess
  const back = () => setStep("choose")
  const choices = useMemo(
    () => [
      { id: "allow", title: "Allow", keys: "y", run: () => mutate(allowance("once", digest)) },
      {
        id: "allow-session",
        title: `Allow ${name} for this session`,
        keys: "shift+y",
        run: () => mutate(allowance("session", digest))
      },
      { id: "edit-call", title: "Edit", keys: "e", run: () => setStep("edit") },
      { id: "deny", title: "Deny", keys: "n", run: () => setStep("deny") }
    ],
    [digest, mutate, name]
  )
  useActions(
    useMemo(
      () => (hasKeys && !isDone && step === "choose" ? choices.map((one) => ({ ...one, section: "Answer" })) : []),
      [choices, hasKeys, isDone, step]
    )
  )
  return (
    <section className="ask" aria-label={`Approval of ${name}`}>
      <h3>
        <ShieldQuestion size={15} aria-hidden /> May it call <code>{name}</code>?
        <AskLink sessionId={sessionId} callId={callId} seq={seq} />
      </h3>
      {reason === null ? null : <p className="soft">{reason}</p>}
      {step === "edit" ? <Editing input={input} isPending={isDone} onAllow={mutate} onBack={back} /> : props.children}
      {step === "deny" ? <Denying isPending={isDone} onDeny={mutate} onBack={back} /> : null}
      {step === "choose" ? (
        <div className="ask-answer">
          {choices.map(({ id, keys, run, title }) => (
            <button
              key={id}
              type="button"
              className={id === "allow" ? "button first" : "button"}
              disabled={isDone}
              onClick={run}
            >
              {id === "allow-session" ? "Allow for the session" : title} {hasKeys ? <Keys of={keys} /> : null}
            </button>
          ))}
        </div>
      ) : null}
      {isSuccess ? (
        <span className="faint" role="status">
          Answered
        </span>
      ) : null}
      {answer.error === null ? null : <Problem error={answer.error} />}
    </section>
  )
}
