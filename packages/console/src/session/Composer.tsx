import { useMutation } from "@tanstack/react-query"
import { ArrowUp, Square } from "lucide-react"
import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from "react"
import { useActions } from "../registry/actions.ts"
import { Keys } from "../ui/Keys.tsx"
import { Problem } from "../ui/Problem.tsx"
import { interrupt, say } from "./act.ts"
import { escape, escapeWithinMs, intent } from "./composer.logic.ts"

/** Where one talks to the agent: Enter sends, or queues behind what runs; Escape twice stops that. */
export const Composer = ({ hasTurn, sessionId }: { readonly sessionId: string; readonly hasTurn: boolean }) => {
  const [text, setText] = useState("")
  const box = useRef<HTMLTextAreaElement>(null)
  const [askedAt, setAskedAt] = useState<number | null>(null)
  const sent = useMutation({ mutationFn: (words: string) => say(sessionId, words) })
  const stopped = useMutation({ mutationFn: () => interrupt(sessionId) })
  const { mutate: stop } = stopped

  useEffect(() => {
    if (askedAt === null) return
    const timer = window.setTimeout(() => setAskedAt(null), escapeWithinMs)
    return () => window.clearTimeout(timer)
  }, [askedAt])

  // As tall as what is written in it.
  useEffect(() => {
    const area = box.current
    if (area === null) return
    area.style.height = "auto"
    area.style.height = `${Math.min(area.scrollHeight, 240)}px`
  }, [text])

  const submit = () => {
    const words = text.trim()
    if (words === "" || sent.isPending) return
    sent.mutate(words, { onSuccess: () => setText("") })
  }

  const pressEscape = useCallback(() => {
    if (!hasTurn) {
      box.current?.blur()
      return
    }
    const { asked, isSure } = escape(askedAt, performance.now())
    setAskedAt(asked)
    if (isSure) stop()
  }, [askedAt, hasTurn, stop])

  useActions(
    useMemo(
      () => [
        { id: "write", title: "Write a message", section: "Session", keys: "i", run: () => box.current?.focus() },
        ...(hasTurn
          ? [
              {
                id: "interrupt",
                title: "Interrupt the turn (twice)",
                section: "Session",
                keys: "escape",
                whileTyping: true,
                run: pressEscape
              }
            ]
          : [])
      ],
      [hasTurn, pressEscape]
    )
  )

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault()
      submit()
    } else if (event.key === "Escape" && !hasTurn) box.current?.blur()
  }

  const problem = sent.error ?? stopped.error
  return (
    <div className="composer">
      {problem === null ? null : <Problem error={problem} />}
      <div className="composer-box">
        <textarea
          ref={box}
          rows={1}
          value={text}
          aria-label="Message"
          placeholder={hasTurn ? "Say what comes next; it waits for its turn" : "Say what to do"}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
        />
        <div className="composer-foot">
          <span className="faint" role="status">
            {askedAt !== null ? "Escape once more to interrupt" : stopped.isPending ? "Interrupting …" : ""}
          </span>
          {hasTurn ? (
            <button type="button" className="button" onClick={() => stop()} disabled={stopped.isPending}>
              <Square size={11} fill="currentColor" /> Interrupt <Keys of="escape" />
            </button>
          ) : null}
          <button
            type="button"
            className="button first"
            onClick={submit}
            disabled={text.trim() === "" || sent.isPending}
          >
            {hasTurn ? null : <ArrowUp size={13} />} {intent({ hasTurn })} <Keys of="enter" />
          </button>
        </div>
      </div>
    </div>
  )
}
