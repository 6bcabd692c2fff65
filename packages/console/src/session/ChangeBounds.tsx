import { useMutation, useQueryClient } from "@tanstack/react-query"
import { type FormEvent, useState } from "react"
import type { Session } from "@troupe/client"
import { troupe } from "../api/troupe.ts"
import { LimitRows } from "../limits/LimitRows.tsx"
import { Problem } from "../ui/Problem.tsx"
import { boundsDraftOf, boundsUpdateOf, wrongWithBounds } from "./limits.logic.ts"

/** Raises what bounds a session, or takes it away. */
export const ChangeBounds = ({ onDone, session }: { readonly session: Session; readonly onDone: () => void }) => {
  const client = useQueryClient()
  const [draft, setDraft] = useState(() => boundsDraftOf(session))
  const wrong = wrongWithBounds(draft)
  const save = useMutation({
    mutationFn: () => troupe.sessions.update(session.id, boundsUpdateOf(draft, session)),
    onSuccess: (changed) => {
      client.setQueryData(["session", session.id], changed)
      onDone()
    }
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    save.mutate()
  }
  return (
    <form className="form" onSubmit={submit}>
      {session.budget === null ? null : (
        <div className="field">
          <label htmlFor="bounds-budget">Budget</label>
          <input
            id="bounds-budget"
            className="input"
            inputMode="decimal"
            placeholder="No limit, for good"
            value={draft.budget}
            onChange={(event) => setDraft((now) => ({ ...now, budget: event.target.value }))}
          />
        </div>
      )}
      <LimitRows
        title="Limits"
        limits={draft.limits}
        hasScope
        wrong={wrong}
        onChange={(limits) => setDraft((now) => ({ ...now, limits }))}
      />
      <p className="faint">
        What is changed has to be above what was used. Once all are taken away there are none again.
      </p>
      {save.error === null ? null : <Problem error={save.error} />}
      <div className="form-foot">
        <button type="submit" className="button first" disabled={wrong !== null || save.isPending}>
          Save
        </button>
      </div>
    </form>
  )
}
