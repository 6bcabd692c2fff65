import { useMemo } from "react"
import { diffOf } from "./diff.logic.ts"

const signs = { same: " ", added: "+", removed: "−", skipped: "⋯" } as const

/** Two texts as what changed between them. */
const Diff = ({ after, before }: { readonly before: string; readonly after: string }) => {
  const lines = useMemo(() => diffOf(before, after), [after, before])
  if (lines.length === 0) return <p className="faint">Nothing changed.</p>
  return (
    <pre className="diff">
      {lines.map(({ kind, text }, index) => (
        <span key={index} className={kind}>
          <span aria-hidden>{signs[kind]}</span> {text}
          {"\n"}
        </span>
      ))}
    </pre>
  )
}
export default Diff
