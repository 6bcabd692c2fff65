import { useMutation } from "@tanstack/react-query"
import { ArrowUp, Paperclip, Square, X } from "lucide-react"
import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from "react"
import { remember, remembered } from "../app/remembered.ts"
import { useActions } from "../registry/actions.ts"
import { Keys } from "../ui/Keys.tsx"
import { Problem } from "../ui/Problem.tsx"
import { interrupt, say, steer } from "./act.ts"
import { accepted } from "./attachments.logic.ts"
import { asTheAgent, type Choice } from "./choice.logic.ts"
import { escape, escapeWithinMs, intent } from "./composer.logic.ts"
import { Comments } from "./diff/Comments.tsx"
import { type Comment, withComments } from "./diff/comments.logic.ts"
import { useComments } from "./diff/useComments.ts"
import { TurnChoice } from "./TurnChoice.tsx"
import { useAttachments } from "./useAttachments.ts"

/** Escape asks twice before it stops what runs. */
const useInterrupt = (sessionId: string, hasTurn: boolean, leave: () => void) => {
  const [askedAt, setAskedAt] = useState<number | null>(null)
  const stopped = useMutation({ mutationFn: () => interrupt(sessionId) })
  const { mutate: stop } = stopped
  useEffect(() => {
    if (askedAt === null) return
    const timer = window.setTimeout(() => setAskedAt(null), escapeWithinMs)
    return () => window.clearTimeout(timer)
  }, [askedAt])
  const press = useCallback(() => {
    if (!hasTurn) {
      leave()
      return
    }
    const { asked, isSure } = escape(askedAt, performance.now())
    setAskedAt(asked)
    if (isSure) stop()
  }, [askedAt, hasTurn, leave, stop])
  return { isAsked: askedAt !== null, isPending: stopped.isPending, error: stopped.error, press, stop }
}

interface Said {
  readonly words: string
  readonly comments: ReadonlyArray<Comment>
  readonly isSteer: boolean
}

/** Where one talks to the agent: Enter sends, or queues behind what runs; with Ctrl it is said to what runs. */
export const Composer = (props: {
  readonly sessionId: string
  readonly hasTurn: boolean
  /** The model of the session's agent, where it is known. */
  readonly usualModel: string | null
}) => {
  const { hasTurn, sessionId, usualModel } = props
  const [text, setText] = useState(() => remembered("draft", sessionId) ?? "")
  const [choice, setChoice] = useState<Choice>(asTheAgent)
  const box = useRef<HTMLTextAreaElement>(null)
  const chooser = useRef<HTMLInputElement>(null)
  const attached = useAttachments()
  const { change, comments, remove } = useComments(sessionId)
  const leave = useCallback(() => box.current?.blur(), [])
  const stopping = useInterrupt(sessionId, hasTurn, leave)
  const sent = useMutation({
    mutationFn: ({ comments: said, isSteer, words }: Said): Promise<unknown> => {
      const all = withComments(said, words)
      return isSteer ? steer(sessionId, all, attached.files) : say(sessionId, all, attached.files, choice)
    },
    onSuccess: (_, { comments: said }) => {
      attached.clear()
      remove(said)
    }
  })
  const words = text.trim()
  const hasWords = words !== "" || attached.files.length > 0 || comments.length > 0
  const isReady = hasWords && !sent.isPending && attached.uploading === 0
  useEffect(() => remember("draft", sessionId, text === "" ? undefined : text), [sessionId, text])

  // As tall as what is written in it.
  useEffect(() => {
    const area = box.current
    if (area === null) return
    area.style.height = "auto"
    area.style.height = `${Math.min(area.scrollHeight, 240)}px`
  }, [text])

  const submit = (isSteer: boolean) => {
    if (!isReady) return
    // Empty at once, so that one can go on writing; what was not taken comes back.
    setText("")
    const back = () => setText((now) => (now === "" ? text : now))
    sent.mutate({ words, comments, isSteer: isSteer && hasTurn }, { onError: back })
  }

  const { press } = stopping
  useActions(
    useMemo(
      () => [
        { id: "write", title: "Write a message", section: "Session", keys: "i", run: () => box.current?.focus() },
        { id: "attach", title: "Attach a file", section: "Session", run: () => chooser.current?.click() },
        ...(hasTurn
          ? [
              {
                id: "interrupt",
                title: "Interrupt the turn (twice)",
                section: "Session",
                keys: "escape",
                whileTyping: true,
                run: press
              }
            ]
          : [])
      ],
      [hasTurn, press]
    )
  )

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault()
      submit(event.ctrlKey || event.metaKey)
    } else if (event.key === "Escape" && !hasTurn) leave()
  }

  const problem = sent.error ?? stopping.error ?? attached.problem
  return (
    <div className="composer">
      {problem === null ? null : <Problem error={problem} />}
      <div
        className="composer-box"
        onDragOver={(event) => event.preventDefault()}
        onDrop={(event) => {
          event.preventDefault()
          void attached.add([...event.dataTransfer.files])
        }}
      >
        <Comments comments={comments} onChange={change} onRemove={remove} onDone={() => box.current?.focus()} />
        {attached.files.length + attached.uploading === 0 ? null : (
          <ul className="attached" aria-label="Attached">
            {attached.files.map(({ id, name }) => (
              <li key={id} className="badge">
                <span className="cut">{name}</span>
                <button type="button" aria-label={`Leave out ${name}`} onClick={() => attached.remove(id)}>
                  <X size={12} />
                </button>
              </li>
            ))}
            {attached.uploading === 0 ? null : (
              <li className="badge" role="status">
                Uploading …
              </li>
            )}
          </ul>
        )}
        <textarea
          ref={box}
          rows={1}
          value={text}
          aria-label="Message"
          placeholder={hasTurn ? "Say what comes next; it waits for its turn" : "Say what to do"}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
          onPaste={(event) => {
            const files = [...event.clipboardData.files]
            if (files.length === 0) return
            event.preventDefault()
            void attached.add(files)
          }}
        />
        <div className="composer-foot">
          <input
            ref={chooser}
            type="file"
            multiple
            hidden
            accept={accepted}
            aria-label="Files to attach"
            onChange={(event) => {
              void attached.add([...(event.target.files ?? [])])
              event.target.value = ""
            }}
          />
          <button
            type="button"
            className="button quiet only-icon"
            aria-label="Attach pictures, PDFs or text"
            onClick={() => chooser.current?.click()}
          >
            <Paperclip size={14} />
          </button>
          <TurnChoice choice={choice} usual={usualModel} onChoose={setChoice} />
          <span className="faint" role="status">
            {stopping.isAsked ? "Escape once more to interrupt" : stopping.isPending ? "Interrupting …" : ""}
          </span>
          {hasTurn ? (
            <>
              <button
                type="button"
                className="button"
                onClick={() => stopping.stop()}
                disabled={stopping.isPending}
                aria-label="Interrupt"
              >
                <Square size={11} fill="currentColor" /> <span className="optional">Interrupt</span>{" "}
                <Keys of="escape" />
              </button>
              <button type="button" className="button" onClick={() => submit(true)} disabled={!isReady}>
                Steer <Keys of="mod+enter" />
              </button>
            </>
          ) : null}
          <button type="button" className="button first" onClick={() => submit(false)} disabled={!isReady}>
            {hasTurn ? null : <ArrowUp size={13} />} {intent({ hasTurn })} <Keys of="enter" />
          </button>
        </div>
      </div>
    </div>
  )
}
