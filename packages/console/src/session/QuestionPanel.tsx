import type { Json, JsonObject } from "@troupe/domain/Json"
import { useMutation, useQueryClient } from "@tanstack/react-query"
import { MessageCircleQuestion } from "lucide-react"
import { type FormEvent, useMemo, useState } from "react"
import { troupe } from "../api/troupe.ts"
import { AskLink } from "../inbox/AskLink.tsx"
import { useActions } from "../registry/actions.ts"
import { Keys } from "../ui/Keys.tsx"
import { Problem } from "../ui/Problem.tsx"
import { answerOf, askedOf } from "./question.logic.ts"

/** A question to a person: number keys choose, words answer. */
export const QuestionPanel = (props: {
  readonly sessionId: string
  readonly callId: string
  /** Where in the log it was asked. */
  readonly seq: number
  readonly question: JsonObject | null
  readonly hasKeys: boolean
  readonly onAnswered?: () => void
}) => {
  const { callId, hasKeys, onAnswered, question, seq, sessionId } = props
  const client = useQueryClient()
  const asked = useMemo(() => askedOf(question), [question])
  const [chosen, setChosen] = useState<ReadonlyArray<string>>([])
  const [words, setWords] = useState("")
  const sent = useMutation({
    mutationFn: (value: Json) => troupe.sessions.questions.answer(sessionId, callId, value),
    onSuccess: () => {
      onAnswered?.()
      void client.invalidateQueries({ queryKey: ["inbox"] })
    }
  })
  const { isPending, isSuccess, mutate } = sent
  const value = answerOf(asked, chosen, words)
  const isDone = isPending || isSuccess
  const actions = useMemo(() => {
    if (!hasKeys || isDone) return []
    const toggle = (label: string) => {
      if (asked.kind === "choice") mutate(label)
      else setChosen((now) => (now.includes(label) ? now.filter((one) => one !== label) : [...now, label]))
    }
    return asked.options.slice(0, 9).map(({ label }, index) => ({
      id: `choose-${index + 1}`,
      title: `Answer: ${label}`,
      section: "Answer",
      keys: String(index + 1),
      run: () => toggle(label)
    }))
  }, [asked, hasKeys, isDone, mutate])
  useActions(actions)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (value !== null) mutate(value)
  }
  const takesWords = asked.kind === "text" || asked.kind === "form" || asked.allowOther
  return (
    <section className="ask" aria-label="Question">
      <h3>
        <MessageCircleQuestion size={15} aria-hidden /> {asked.text}
        <AskLink sessionId={sessionId} callId={callId} seq={seq} />
      </h3>
      {asked.options.length === 0 ? null : (
        <div className="options" role="group" aria-label="Answers">
          {asked.options.map(({ description, label }, index) => (
            <button
              key={label}
              type="button"
              className="option"
              disabled={isDone}
              aria-pressed={asked.kind === "multi_choice" ? chosen.includes(label) : undefined}
              onClick={actions[index]?.run ?? (() => mutate(label))}
            >
              <span>
                {label}
                {description === null ? null : <small>{description}</small>}
              </span>
              {index < 9 && hasKeys ? <Keys of={String(index + 1)} /> : null}
            </button>
          ))}
        </div>
      )}
      {takesWords || asked.kind === "multi_choice" ? (
        <form className="ask-answer" onSubmit={submit}>
          {takesWords ? (
            <input
              className="input"
              aria-label="Your answer"
              placeholder={asked.kind === "form" ? "The answer as a JSON object" : "Your answer"}
              value={words}
              onChange={(event) => setWords(event.target.value)}
            />
          ) : null}
          <button type="submit" className="button first" disabled={value === null || isDone}>
            Answer <Keys of="enter" />
          </button>
        </form>
      ) : null}
      {sent.error === null ? null : <Problem error={sent.error} />}
    </section>
  )
}
