import { MessageSquareQuote, X } from "lucide-react"
import { useState } from "react"
import { CommentForm } from "./CommentForm.tsx"
import { type Comment, placeOf } from "./comments.logic.ts"

/** What was said of lines and goes with the next message: it can be read again, changed and left out. */
export const Comments = (props: {
  readonly comments: ReadonlyArray<Comment>
  readonly onChange: (id: string, words: string) => void
  readonly onRemove: (some: ReadonlyArray<Comment>) => void
  /** Where the focus goes once something was changed. */
  readonly onDone: () => void
}) => {
  const { comments, onChange, onDone, onRemove } = props
  const [edited, setEdited] = useState<string | null>(null)
  const open = comments.find(({ id }) => id === edited)
  const close = () => {
    setEdited(null)
    onDone()
  }
  if (comments.length === 0) return null
  return (
    <>
      <ul className="attached" aria-label="Comments">
        {comments.map((comment) => (
          <li key={comment.id} className="badge">
            <button
              type="button"
              className="chip"
              aria-label={`Change the comment on ${placeOf(comment)}`}
              onClick={() => setEdited(comment.id)}
            >
              <MessageSquareQuote size={12} aria-hidden />
              <code className="cut">{placeOf(comment)}</code>
              <span className="cut faint">{comment.words}</span>
            </button>
            <button
              type="button"
              aria-label={`Leave out the comment on ${placeOf(comment)}`}
              onClick={() => {
                onRemove([comment])
                onDone()
              }}
            >
              <X size={12} />
            </button>
          </li>
        ))}
      </ul>
      {open === undefined ? null : (
        <CommentForm
          key={open.id}
          place={placeOf(open)}
          words={open.words}
          onBack={close}
          onKeep={(words) => {
            onChange(open.id, words)
            close()
          }}
        />
      )}
    </>
  )
}
