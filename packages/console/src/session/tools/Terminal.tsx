import type { TimelineCall } from "@troupe/domain/session/Timeline"
import { useMemo, useState } from "react"
import { textIn, wordsOf } from "../content.logic.ts"
import { paint, shorten, shownMax } from "./ansi.logic.ts"

export const Output = ({ text }: { readonly text: string }) => {
  const [isWhole, setWhole] = useState(false)
  const painted = useMemo(() => paint(isWhole ? text : shorten(text)), [isWhole, text])
  return (
    <>
      <pre className="terminal-output">
        {painted.map(({ className, text: piece }, index) =>
          className === "" ? (
            piece
          ) : (
            <span key={index} className={className}>
              {piece}
            </span>
          )
        )}
      </pre>
      {text.length > shownMax && !isWhole ? (
        <button type="button" className="button quiet" onClick={() => setWhole(true)}>
          Show all of it
        </button>
      ) : null}
    </>
  )
}

/** A command and what it printed. */
export const Terminal = ({ call }: { readonly call: TimelineCall }) => {
  const command = textIn(call.editedInput ?? call.input, "command") ?? ""
  const output = wordsOf(call.content)
  return (
    <div className="ran">
      <pre className="terminal-command">
        <span className="faint" aria-hidden>
          ${" "}
        </span>
        {command}
      </pre>
      {output === "" ? null : <Output text={output} />}
    </div>
  )
}
