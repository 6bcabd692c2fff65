import { useMutation } from "@tanstack/react-query"
import { ChevronDown, ChevronUp, CornerDownRight, GripVertical, Hourglass, Pencil, X } from "lucide-react"
import { type DragEvent, type ReactNode, useRef, useState } from "react"
import { troupe } from "../../api/troupe.ts"
import { Keys } from "../../ui/Keys.tsx"
import { Problem } from "../../ui/Problem.tsx"
import { choiceText } from "../choice.logic.ts"
import { wordsOf } from "../content.logic.ts"
import type { QueuedRowOf } from "../rows.logic.ts"
import { droppedBefore, movesOf } from "./queue.logic.ts"

const Button = (props: {
  readonly name: string
  readonly isBusy: boolean
  readonly onClick: () => void
  readonly children: ReactNode
}) => (
  <button
    type="button"
    className="button quiet only-icon"
    aria-label={props.name}
    title={props.name}
    disabled={props.isBusy}
    onClick={props.onClick}
  >
    {props.children}
  </button>
)

const Editing = (props: {
  readonly words: string
  readonly isBusy: boolean
  readonly onSave: (words: string) => void
  readonly onBack: () => void
}) => {
  const [words, setWords] = useState(props.words)
  const save = () => {
    if (words.trim() !== "") props.onSave(words.trim())
  }
  return (
    <div className="queued-edit">
      <textarea
        autoFocus
        className="input"
        rows={Math.min(10, words.split("\n").length + 1)}
        aria-label="Message that waits"
        value={words}
        onChange={(event) => setWords(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") props.onBack()
          else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save()
        }}
      />
      <div className="ask-answer">
        <button type="button" className="button first" disabled={props.isBusy || words.trim() === ""} onClick={save}>
          Save <Keys of="mod+enter" />
        </button>
        <button type="button" className="button quiet" onClick={props.onBack}>
          Back
        </button>
      </div>
    </div>
  )
}

/** What a dragged message is called among all that can be dragged here. */
const dragged = "application/x-troupe-turn"

const waits = { queue: "Waits for its turn", steer: "Joins what runs at its next step", inbox: "On its way" } as const

/** A message that waits: it can be changed, moved, taken back, or told to the turn that runs. */
export const QueuedRow = ({ row, sessionId }: { readonly row: QueuedRowOf; readonly sessionId: string }) => {
  const { queue, queued, where } = row
  const { turnId } = queued
  const moves = movesOf(queue, turnId)
  const [isEditing, setEditing] = useState(false)
  const [isOver, setOver] = useState(false)
  const box = useRef<HTMLDivElement>(null)
  const change = useMutation({ mutationFn: (act: () => Promise<unknown>) => act() })
  const { isPending, mutate } = change
  const run = (act: () => Promise<unknown>) => () => mutate(act)
  const { turns } = troupe.sessions
  const words = wordsOf(queued.content)
  const isPlain = queued.content.every(({ type }) => type === "text")
  if (isEditing) {
    return (
      <Editing
        words={words}
        isBusy={isPending}
        onBack={() => setEditing(false)}
        onSave={(text) =>
          mutate(() => turns.edit(sessionId, turnId, { content: [{ type: "text", text }] }), {
            onSuccess: () => setEditing(false)
          })
        }
      />
    )
  }
  const over = (event: DragEvent) => {
    if (where !== "queue" || !event.dataTransfer.types.includes(dragged)) return
    event.preventDefault()
    setOver(true)
  }
  const drop = (event: DragEvent) => {
    setOver(false)
    const moved = event.dataTransfer.getData(dragged)
    const before = droppedBefore(queue, moved, turnId)
    if (before === undefined) return
    event.preventDefault()
    mutate(() => turns.move(sessionId, moved, { before }))
  }
  return (
    <div
      ref={box}
      className={isOver ? "said queued over" : "said queued"}
      onDragOver={over}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <div className="said-body">{words}</div>
      <div className="queued-foot">
        {where !== "queue" || queue.length < 2 ? null : (
          <span
            className="grip"
            draggable={!isPending}
            title="Drag it to its place"
            aria-hidden
            onDragStart={({ dataTransfer }) => {
              dataTransfer.setData(dragged, turnId)
              dataTransfer.effectAllowed = "move"
              if (box.current !== null) dataTransfer.setDragImage(box.current, 0, 0)
            }}
          >
            <GripVertical size={13} />
          </span>
        )}
        <span className="said-by faint">
          <Hourglass size={11} aria-hidden /> {queued.needsApproval ? "Waits to be let begin" : waits[where]}
          {choiceText(queued.overrides)}
        </span>
        {where !== "queue" ? null : (
          <span className="queued-actions" role="group" aria-label="Change what waits">
            {queued.needsApproval ? (
              <button
                type="button"
                className="button"
                disabled={isPending}
                onClick={run(() => turns.approve(sessionId, turnId))}
              >
                Let it begin
              </button>
            ) : null}
            {moves.up === undefined ? null : (
              <Button
                name="Earlier"
                isBusy={isPending}
                onClick={run(() => turns.move(sessionId, turnId, { before: moves.up! }))}
              >
                <ChevronUp size={14} />
              </Button>
            )}
            {moves.down === undefined ? null : (
              <Button
                name="Later"
                isBusy={isPending}
                onClick={run(() => turns.move(sessionId, turnId, { before: moves.down! }))}
              >
                <ChevronDown size={14} />
              </Button>
            )}
            {isPlain ? (
              <Button name="Edit" isBusy={isPending} onClick={() => setEditing(true)}>
                <Pencil size={13} />
              </Button>
            ) : null}
            <Button name="Steer with it now" isBusy={isPending} onClick={run(() => turns.steer(sessionId, turnId))}>
              <CornerDownRight size={14} />
            </Button>
            <Button name="Withdraw" isBusy={isPending} onClick={run(() => turns.withdraw(sessionId, turnId))}>
              <X size={14} />
            </Button>
          </span>
        )}
      </div>
      {change.error === null ? null : <Problem error={change.error} />}
    </div>
  )
}
