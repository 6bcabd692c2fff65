import { Plus, X } from "lucide-react"
import { type LimitDraft, type Metric, measures, newLimit } from "./limits.logic.ts"
import "./limits.css"

/** Limits as people write them down, one a line. */
export const LimitRows = (props: {
  readonly title: string
  readonly limits: ReadonlyArray<LimitDraft>
  /** Whether each says if it is of the session or of a turn. */
  readonly hasScope: boolean
  readonly wrong: string | null
  readonly onChange: (limits: ReadonlyArray<LimitDraft>) => void
}) => {
  const { hasScope, limits, onChange, title, wrong } = props
  const set = (at: number, change: Partial<LimitDraft>) =>
    onChange(limits.map((limit, index) => (index === at ? { ...limit, ...change } : limit)))
  return (
    <fieldset className="limits">
      <legend>{title}</legend>
      {limits.map((limit, at) => (
        <div key={at} className="limit-row">
          <input
            className="input"
            inputMode="decimal"
            aria-label={`Limit ${at + 1}, how much`}
            value={limit.text}
            onChange={(event) => set(at, { text: event.target.value })}
          />
          <select
            className="input"
            aria-label={`Limit ${at + 1}, of what`}
            value={limit.metric}
            onChange={(event) => set(at, { metric: event.target.value as Metric })}
          >
            {measures.map(({ id, title: name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
          {hasScope ? (
            <select
              className="input"
              aria-label={`Limit ${at + 1}, for what`}
              value={limit.scope}
              onChange={(event) => set(at, { scope: event.target.value as LimitDraft["scope"] })}
            >
              <option value="session">in all</option>
              <option value="turn">a turn</option>
            </select>
          ) : null}
          <select
            className="input"
            aria-label={`Limit ${at + 1}, what then`}
            value={limit.enforcement}
            onChange={(event) => set(at, { enforcement: event.target.value as LimitDraft["enforcement"] })}
          >
            <option value="soft">then ask</option>
            <option value="hard">then stop</option>
          </select>
          <button
            type="button"
            className="button quiet only-icon"
            aria-label={`Leave out limit ${at + 1}`}
            onClick={() => onChange(limits.filter((_, index) => index !== at))}
          >
            <X size={14} />
          </button>
        </div>
      ))}
      <div className="limit-foot">
        <button type="button" className="button" onClick={() => onChange([...limits, newLimit])}>
          <Plus size={13} /> Add a limit
        </button>
        {wrong === null ? null : (
          <span className="hint" role="status">
            {wrong}
          </span>
        )}
      </div>
    </fieldset>
  )
}
