import { Plus, X } from "lucide-react"
import type { Header } from "./secretHeaders.logic.ts"

/** Headers are typed in, sealed, and shown to nobody again. */
export const SecretHeaders = (props: {
  readonly headers: ReadonlyArray<Header> | null
  /** The names of those that are there. */
  readonly kept: ReadonlyArray<string>
  readonly hint: string
  readonly onChange: (headers: ReadonlyArray<Header> | null) => void
}) => {
  const { headers, hint, kept, onChange } = props
  if (headers === null) {
    return (
      <div className="field">
        <span className="label">Headers</span>
        <span>
          <code>{kept.join(", ")}</code> <span className="faint">kept, and not shown</span>
        </span>
        <span className="row-buttons">
          <button type="button" className="button" onClick={() => onChange([{ name: kept[0] ?? "", value: "" }])}>
            Replace them
          </button>
          <button type="button" className="button danger" onClick={() => onChange([])}>
            Take them away
          </button>
        </span>
      </div>
    )
  }
  const set = (at: number, change: Partial<Header>) =>
    onChange(headers.map((header, index) => (index === at ? { ...header, ...change } : header)))
  return (
    <fieldset className="field headers">
      <legend className="label">Headers</legend>
      {headers.map((header, at) => (
        <div key={at} className="header-row">
          <input
            className="input mono"
            aria-label={`Name of header ${at + 1}`}
            placeholder="Authorization"
            autoComplete="off"
            spellCheck={false}
            value={header.name}
            onChange={(event) => set(at, { name: event.target.value })}
          />
          <input
            className="input mono"
            type="password"
            aria-label={`Value of header ${at + 1}`}
            autoComplete="new-password"
            value={header.value}
            onChange={(event) => set(at, { value: event.target.value })}
          />
          <button
            type="button"
            className="button quiet only-icon"
            aria-label={`Leave out header ${at + 1}`}
            onClick={() => onChange(headers.filter((_, index) => index !== at))}
          >
            <X size={14} />
          </button>
        </div>
      ))}
      <span className="row-buttons">
        <button type="button" className="button" onClick={() => onChange([...headers, { name: "", value: "" }])}>
          <Plus size={13} /> Add a header
        </button>
        {kept.length === 0 ? null : (
          <button type="button" className="button quiet" onClick={() => onChange(null)}>
            Keep those of before
          </button>
        )}
      </span>
      {kept.length > 0 && headers.length === 0 ? (
        <span className="hint">Those that are kept are taken away: {kept.join(", ")}</span>
      ) : (
        <span className="hint">They are sealed, and never shown again. {hint}</span>
      )}
    </fieldset>
  )
}
