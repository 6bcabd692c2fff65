import { type FormEvent, useState } from "react"
import type { Environment, EnvironmentCreate } from "@troupe/client"
import { Problem } from "../ui/Problem.tsx"
import { TextField } from "../ui/TextField.tsx"
import { bodyOf, draftOf, type EnvironmentDraft, hasNetwork } from "./environments.logic.ts"

/** Where programs of its sandboxes may connect to. */
const Network = (props: {
  readonly draft: EnvironmentDraft
  readonly onChange: (some: Partial<EnvironmentDraft>) => void
}) => {
  const { draft, onChange } = props
  return (
    <>
      <div className="field">
        <label htmlFor="environment-reach">Programs may connect to</label>
        <select
          id="environment-reach"
          className="input"
          value={draft.reach}
          onChange={(event) => onChange({ reach: event.target.value as EnvironmentDraft["reach"] })}
        >
          <option value="limited">named hosts only</option>
          <option value="unrestricted">everywhere</option>
        </select>
      </div>
      {draft.reach === "unrestricted" ? null : (
        <>
          <div className="field">
            <label htmlFor="environment-hosts">Hosts</label>
            <textarea
              id="environment-hosts"
              className="input mono"
              rows={3}
              placeholder="api.github.com *.example.com"
              spellCheck={false}
              value={draft.hosts}
              onChange={(event) => onChange({ hosts: event.target.value })}
            />
          </div>
          <label className="check">
            <input
              type="checkbox"
              checked={draft.allowsPackages}
              onChange={(event) => onChange({ allowsPackages: event.target.checked })}
            />
            and the registries of package managers
          </label>
          <label className="check">
            <input
              type="checkbox"
              checked={draft.allowsServers}
              onChange={(event) => onChange({ allowsServers: event.target.checked })}
            />
            and the MCP servers of its agents
          </label>
        </>
      )}
    </>
  )
}

/** An environment as people write it down, before and after it is there. */
export const EnvironmentForm = (props: {
  readonly environment: Environment | null
  readonly verb: string
  readonly isBusy: boolean
  readonly error: unknown
  readonly onSubmit: (body: EnvironmentCreate) => void
}) => {
  const { environment, error, isBusy, onSubmit, verb } = props
  const [draft, setDraft] = useState(() => draftOf(environment))
  const change = (some: Partial<EnvironmentDraft>) => setDraft((now) => ({ ...now, ...some }))
  const submit = (event: FormEvent) => {
    event.preventDefault()
    onSubmit(bodyOf(draft, environment))
  }
  return (
    <form className="form" onSubmit={submit}>
      <TextField
        id="environment-name"
        title="Name"
        maxLength={256}
        value={draft.name}
        onChange={(name) => change({ name })}
      />
      <TextField
        id="environment-description"
        title="What it is for"
        maxLength={2048}
        value={draft.description}
        onChange={(description) => change({ description })}
      />
      {hasNetwork(environment) ? <Network draft={draft} onChange={change} /> : null}
      {error === null ? null : <Problem error={error} />}
      <div className="form-foot">
        <button type="submit" className="button first" disabled={draft.name.trim() === "" || isBusy}>
          {verb}
        </button>
      </div>
    </form>
  )
}
