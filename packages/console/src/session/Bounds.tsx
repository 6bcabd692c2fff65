import { useState } from "react"
import type { Session } from "@troupe/client"
import { Panel } from "../ui/Panel.tsx"
import { ChangeBounds } from "./ChangeBounds.tsx"
import { type Bound, nearest } from "./limits.logic.ts"
import "../limits/limits.css"

const percent = ({ share }: Bound): string => `${Math.floor(share * 100)} %`

const Listed = ({ bounds }: { readonly bounds: ReadonlyArray<Bound> }) => (
  <ul className="limit-list">
    {bounds.map((bound) => (
      <li key={bound.key}>
        <span>{bound.title}</span>
        <meter min={0} max={1} value={bound.share} aria-label={bound.title} />
        <span className="faint">
          {bound.used} used, {percent(bound)}
        </span>
      </li>
    ))}
  </ul>
)

/** How much is left of what bounds a session: the nearest limit as a bar, and behind it all of them, to be changed. */
export const Bounds = ({ bounds, session }: { readonly bounds: ReadonlyArray<Bound>; readonly session: Session }) => {
  const [panel, setPanel] = useState<"list" | "form" | null>(null)
  const close = () => setPanel(null)
  const first = nearest(bounds)
  if (first === null) return null
  return (
    <>
      <button
        type="button"
        className="button quiet budget budget-button"
        title={`${percent(first)} of ${first.title}`}
        aria-label={`Limits: ${percent(first)} of ${first.title}`}
        onClick={() => setPanel("list")}
      >
        <meter min={0} max={1} value={first.share} aria-hidden />
      </button>
      <Panel title={panel === "form" ? "Change the limits" : "Limits"} isOpen={panel !== null} onClose={close}>
        {panel === "form" ? (
          <ChangeBounds session={session} onDone={close} />
        ) : (
          <>
            <Listed bounds={bounds} />
            <div className="form-foot">
              <button type="button" className="button" onClick={() => setPanel("form")}>
                Change them
              </button>
            </div>
          </>
        )}
      </Panel>
    </>
  )
}
