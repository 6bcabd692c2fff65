import { useQuery } from "@tanstack/react-query"
import { type FormEvent, useState } from "react"
import type { WorkspaceSettings, WorkspaceSettingsUpdate } from "@troupe/client"
import * as queries from "../api/queries.ts"
import { LimitRows } from "../limits/LimitRows.tsx"
import { wrongWith } from "../limits/limits.logic.ts"
import { Problem } from "../ui/Problem.tsx"
import { TextField } from "../ui/TextField.tsx"
import { bodyOf, draftOf, type SettingsDraft, wrongWithSettings } from "./settings.logic.ts"

type Change = (some: Partial<SettingsDraft>) => void

/** What is taken where an agent or a session says nothing itself. */
const Defaults = ({ draft, onChange }: { readonly draft: SettingsDraft; readonly onChange: Change }) => {
  const models = useQuery(queries.models)
  const environments = useQuery(queries.environments)
  return (
    <>
      <div className="field-row">
        <TextField
          isLiteral
          maxLength={256}
          id="settings-model"
          title="Usual model"
          hint="Of agents that are made without one."
          list="settings-models"
          value={draft.model}
          onChange={(model) => onChange({ model })}
        />
        <TextField
          isLiteral
          maxLength={256}
          id="settings-aux-model"
          title="Usual model for small things"
          hint="Titles and summaries, where an agent names none."
          list="settings-models"
          value={draft.auxModel}
          onChange={(auxModel) => onChange({ auxModel })}
        />
        <datalist id="settings-models">
          {models.data?.map(({ id }) => (
            <option key={id} value={id} />
          ))}
        </datalist>
      </div>
      <div className="field-row">
        <TextField
          isLiteral
          maxLength={256}
          id="settings-harness"
          title="Usual harness"
          hint="Empty: our own."
          value={draft.harness}
          onChange={(harness) => onChange({ harness })}
        />
        <div className="field">
          <label htmlFor="settings-environment">Usual environment</label>
          <select
            id="settings-environment"
            className="input"
            value={draft.environment}
            onChange={(event) => onChange({ environment: event.target.value })}
          >
            {draft.environment === "" ? <option value="">Made when it is needed</option> : null}
            {environments.data?.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </div>
      </div>
    </>
  )
}

/** What holds for all sessions of the workspace, to be changed by whoever has an admin's key. */
export const SettingsForm = (props: {
  readonly settings: WorkspaceSettings
  readonly isBusy: boolean
  readonly error: unknown
  readonly onSubmit: (body: WorkspaceSettingsUpdate) => void
}) => {
  const { error, isBusy, onSubmit, settings } = props
  const [draft, setDraft] = useState(() => draftOf(settings))
  const change: Change = (some) => setDraft((now) => ({ ...now, ...some }))
  const wrongLimits = wrongWith(draft.limits)
  const wrong = wrongWithSettings(draft)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    onSubmit(bodyOf(draft, settings.version))
  }
  return (
    <form className="form" onSubmit={submit} aria-label="Settings of the workspace">
      <Defaults draft={draft} onChange={change} />
      <label className="check">
        <input
          type="checkbox"
          checked={draft.allowsSampling}
          onChange={(event) => change({ allowsSampling: event.target.checked })}
        />
        MCP servers may have text written by a session's model, where their entry allows it
      </label>
      <LimitRows
        title="What all sessions may use together in a day (UTC)"
        limits={draft.limits}
        hasScope={false}
        wrong={wrongLimits}
        onChange={(limits) => change({ limits })}
      />
      <div className="field">
        <label htmlFor="settings-prices">Prices</label>
        <textarea
          id="settings-prices"
          className="input mono"
          rows={Math.min(16, Math.max(4, draft.prices.split("\n").length))}
          spellCheck={false}
          aria-describedby="settings-prices-hint"
          value={draft.prices}
          onChange={(event) => change({ prices: event.target.value })}
        />
        <span id="settings-prices-hint" className="hint">
          They go before those that runners know. By a model's name, or the beginning of names and <code>*</code>, in
          millionths of a dollar for a million tokens:{" "}
          <code>
            {'{"claude-*": {"input": 3000000, "output": 15000000, "cache_read": 300000, "cache_write_5m": 3750000, '}
            {'"cache_write_1h": 6000000}}'}
          </code>
        </span>
      </div>
      {error === null ? null : <Problem error={error} />}
      <div className="form-foot">
        {wrong === null ? null : (
          <span className="faint" role="status">
            {wrong}
          </span>
        )}
        <button type="submit" className="button first" disabled={isBusy || wrong !== null || wrongLimits !== null}>
          Save
        </button>
      </div>
    </form>
  )
}
