import { useState } from "react"
import { Keys } from "../../ui/Keys.tsx"

/** Where one writes what there is to say of some lines. */
export const CommentForm = (props: {
  readonly place: string
  readonly words?: string
  readonly onKeep: (words: string) => void
  readonly onBack: () => void
}) => {
  const { onBack, onKeep, place } = props
  const [words, setWords] = useState(props.words ?? "")
  const keep = () => {
    if (words.trim() !== "") onKeep(words.trim())
  }
  return (
    <div className="comment-form">
      <textarea
        autoFocus
        className="input"
        rows={Math.min(8, words.split("\n").length + 1)}
        aria-label={`Comment on ${place}`}
        placeholder={`What about ${place}?`}
        value={words}
        onChange={(event) => setWords(event.target.value)}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing || event.shiftKey) return
          if (event.key === "Enter") keep()
          else if (event.key === "Escape") onBack()
          else return
          event.preventDefault()
        }}
      />
      <div className="ask-answer">
        <button type="button" className="button first" disabled={words.trim() === ""} onClick={keep}>
          Comment <Keys of="enter" />
        </button>
        <button type="button" className="button quiet" onClick={onBack}>
          Back
        </button>
      </div>
    </div>
  )
}
