import { Fragment, type KeyboardEvent, memo, use, useRef, useState } from "react"
import { type Comment, isCommented, placeOf } from "./comments.logic.ts"
import { CommentForm } from "./CommentForm.tsx"
import type { DiffLine } from "./patch.logic.ts"
import { choose, firstLine, move, rangeOf, type Selection } from "./selection.logic.ts"
import { Commenting, useComments } from "./useComments.ts"
import "./diff.css"

const signs = { same: " ", added: "+", removed: "−", skipped: "⋯" } as const
const words = { same: "", added: "added ", removed: "removed ", skipped: "" } as const

const Numbers = ({ line }: { readonly line: DiffLine }) => (
  <>
    <span className="diff-number">{line.before}</span>
    <span className="diff-number">{line.after}</span>
    <span className="diff-sign">{signs[line.kind]}</span>
  </>
)

const nameOf = ({ after, before, kind }: DiffLine, index: number): string =>
  `${words[kind]}line ${after ?? before ?? index + 1}`

interface LineProps {
  readonly line: DiffLine
  readonly marks?: string
  /** Its place, where one can take hold of it by its numbers. */
  readonly grip?: number
  /** Whether the keyboard comes here first. */
  readonly isNext?: boolean
}

/** Drawn again only where it looks otherwise: there may be thousands. */
const Line = memo((props: LineProps) => {
  const { grip, isNext = false, line, marks = "" } = props
  return (
    <div className={`diff-line ${line.kind} ${marks}`}>
      {grip === undefined || line.kind === "skipped" ? (
        <span className="diff-gutter" aria-hidden>
          <Numbers line={line} />
        </span>
      ) : (
        <button
          type="button"
          className="diff-gutter"
          data-line={grip}
          tabIndex={isNext ? 0 : -1}
          aria-label={`Comment on ${nameOf(line, grip)}`}
        >
          <Numbers line={line} />
        </button>
      )}
      <span className="diff-text">{line.text}</span>
    </div>
  )
})

type Drawn = { readonly lines: ReadonlyArray<DiffLine> }

const Read = ({ lines }: Drawn) => (
  <div className="diff" tabIndex={0} role="group" aria-label="Difference">
    {lines.map((line, index) => (
      <Line key={index} line={line} />
    ))}
  </div>
)

const lineUnder = (target: EventTarget): number | null => {
  const grip = target instanceof Element ? target.closest<HTMLElement>("[data-line]") : null
  return grip === null ? null : Number(grip.dataset["line"])
}

/** The same, where one can say something of lines: by pointing at their numbers, or by arrows, with Shift for several. */
const Commented = (props: Drawn & { readonly path: string; readonly sessionId: string }) => {
  const { lines, path, sessionId } = props
  const { add, comments } = useComments(sessionId)
  const [selection, setSelection] = useState<Selection | null>(null)
  const [isWriting, setWriting] = useState(false)
  const box = useRef<HTMLDivElement>(null)
  const here = selection?.head ?? firstLine(lines)
  const [from, to] = selection === null ? [-1, -1] : rangeOf(selection)
  const focus = (index: number) => box.current?.querySelector<HTMLElement>(`[data-line="${index}"]`)?.focus()
  const open = (index: number, isRange: boolean) => {
    setSelection(choose(lines, selection, index, isRange))
    setWriting(true)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const index = lineUnder(event.target)
    if (index === null) return
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault()
      open(index, true)
      return
    }
    const next = move(lines, selection ?? { anchor: index, head: index }, event.key, event.shiftKey)
    if (next === null) return
    event.preventDefault()
    setSelection(next)
    setWriting(false)
    focus(next.head)
  }
  const close = () => {
    setWriting(false)
    setSelection(selection === null ? null : { anchor: selection.head, head: selection.head })
    focus(here)
  }
  const chosen: Omit<Comment, "id" | "words"> = { path, lines: lines.slice(from, to + 1) }
  return (
    <div
      ref={box}
      className="diff"
      role="group"
      aria-label={`Difference of ${path}`}
      onKeyDown={onKeyDown}
      onClick={(event) => {
        const index = lineUnder(event.target)
        if (index !== null) open(index, event.shiftKey)
      }}
    >
      {lines.map((line, index) => {
        const isChosen = index >= from && index <= to && (isWriting || from !== to)
        const marks = `${isChosen ? "chosen" : ""} ${isCommented(comments, path, line) ? "commented" : ""}`
        return (
          <Fragment key={index}>
            <Line line={line} marks={marks} grip={index} isNext={index === here} />
            {isWriting && index === to ? (
              <CommentForm
                key={`${from}-${to}`}
                place={placeOf(chosen)}
                onBack={close}
                onKeep={(text) => {
                  add({ ...chosen, words: text })
                  close()
                }}
              />
            ) : null}
          </Fragment>
        )
      })}
    </div>
  )
}

/** What changed, line by line, with the numbers before and after. */
export const DiffView = ({ lines, path = null }: Drawn & { readonly path?: string | null }) => {
  const sessionId = use(Commenting)
  if (lines.length === 0) return <p className="faint">Nothing changed.</p>
  return sessionId === null || path === null ? (
    <Read lines={lines} />
  ) : (
    <Commented lines={lines} path={path} sessionId={sessionId} />
  )
}
