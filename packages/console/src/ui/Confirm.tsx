import type { ReactNode } from "react"
import { Panel } from "./Panel.tsx"
import { Problem } from "./Problem.tsx"

interface Done {
  readonly error: Error | null
  readonly isPending: boolean
}

/** Asks before what can't be undone, and says why it was not done. */
export const Confirm = (props: {
  readonly title: string
  readonly isOpen: boolean
  readonly onClose: () => void
  /** What is done, as the button says it. */
  readonly word: string
  readonly of: Done
  readonly onConfirm: () => void
  readonly children: ReactNode
}) => {
  const { children, isOpen, of, onClose, onConfirm, title, word } = props
  return (
    <Panel
      title={title}
      isOpen={isOpen}
      onClose={onClose}
      footer={
        <>
          <button type="button" className="button" onClick={onClose}>
            Keep it
          </button>
          <button type="button" className="button danger" disabled={of.isPending} onClick={onConfirm}>
            {word}
          </button>
        </>
      }
    >
      {children}
      {of.error === null ? null : <Problem error={of.error} />}
    </Panel>
  )
}
