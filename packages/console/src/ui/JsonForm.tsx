import { useEffect, useMemo, useState } from "react"
import { Problem } from "./Problem.tsx"
import { readObject } from "./readObject.logic.ts"

/** All of a definition as text, for what its form does not show. */
export const JsonForm = (props: {
  readonly title: string
  /** What it is, to begin a sentence with. */
  readonly what: string
  readonly definition: string
  readonly hint?: string
  readonly verb: string
  readonly isBusy: boolean
  readonly error: unknown
  readonly onSubmit: (body: object) => void
  /** Hears of every text that can be read. */
  readonly onDraft?: (body: object) => void
}) => {
  const { definition, error, hint, isBusy, onDraft, onSubmit, title, verb, what } = props
  const [text, setText] = useState(definition)
  const read = useMemo(() => readObject(text, what), [text, what])
  useEffect(() => {
    if (read._tag === "Read") onDraft?.(read.value)
  }, [onDraft, read])
  const said = read._tag === "Wrong" ? read.why : hint
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault()
        if (read._tag === "Read") onSubmit(read.value)
      }}
    >
      <div className="field">
        <label htmlFor="definition">{title}</label>
        <textarea
          id="definition"
          className="input mono"
          rows={26}
          spellCheck={false}
          value={text}
          aria-invalid={read._tag === "Wrong"}
          onChange={(event) => setText(event.target.value)}
        />
        {said === undefined ? null : <span className="hint">{said}</span>}
      </div>
      {error === null ? null : <Problem error={error} />}
      <div className="form-foot">
        <button type="submit" className="button first" disabled={isBusy || read._tag === "Wrong"}>
          {verb}
        </button>
      </div>
    </form>
  )
}
