import { useQuery } from "@tanstack/react-query"
import { allOf, troupe } from "../api/troupe.ts"
import { readPolicies, withPolicy } from "./policies.logic.ts"
import "./policies.css"

const Presets = ({ onAdd }: { readonly onAdd: (preset: string) => void }) => {
  const presets = useQuery({
    queryKey: ["policy-presets"],
    queryFn: () => allOf(troupe.policies.presets()),
    staleTime: Infinity
  })
  return (
    <div className="presets" role="group" aria-label="Add a preset">
      <span className="faint">Add a preset:</span>
      {presets.data?.map(({ description, name }) => (
        <button key={name} type="button" className="button" title={description} onClick={() => onAdd(name)}>
          {name}
        </button>
      ))}
    </div>
  )
}

/** Policies as somebody writes them, with presets to put behind them. */
export const PolicyField = (props: {
  readonly id: string
  readonly title: string
  readonly text: string
  readonly rowsMin: number
  readonly onChange: (text: string) => void
}) => {
  const { id, onChange, rowsMin, text, title } = props
  const read = readPolicies(text)
  return (
    <>
      <div className="field">
        <label htmlFor={id}>{title}</label>
        <textarea
          id={id}
          className="input mono"
          rows={Math.min(24, Math.max(rowsMin, text.split("\n").length + 1))}
          spellCheck={false}
          value={text}
          aria-invalid={read._tag === "Wrong"}
          onChange={(event) => onChange(event.target.value)}
        />
        {read._tag === "Wrong" ? <span className="hint">{read.why}</span> : null}
      </div>
      <Presets onAdd={(preset) => onChange(withPolicy(text, { type: "preset", preset } as never))} />
    </>
  )
}
