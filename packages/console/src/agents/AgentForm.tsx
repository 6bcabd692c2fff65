import { useQuery } from "@tanstack/react-query"
import { type FormEvent, Fragment, useEffect, useState } from "react"
import type { Agent } from "@troupe/client"
import * as queries from "../api/queries.ts"
import { readPolicies } from "../policies/policies.logic.ts"
import { PolicyField } from "../policies/PolicyField.tsx"
import { Problem } from "../ui/Problem.tsx"
import { TextField } from "../ui/TextField.tsx"
import {
  type AgentDraft,
  type Permission,
  permissionOf,
  policiesOf,
  type RegisteredServer,
  serversOf
} from "./agents.logic.ts"
import { ServerChoices } from "./ServerChoices.tsx"
import { type Choices, choicesOf } from "./toolChoices.logic.ts"

/** MCP servers of the workspace's list; nothing where there are none. */
const Servers = (props: {
  readonly chosen: ReadonlyArray<RegisteredServer>
  readonly onChoose: (chosen: ReadonlyArray<RegisteredServer>) => void
  readonly choicesFor: (server: string) => Choices
  readonly onChange: (server: string, choices: Choices) => void
}) => {
  const { choicesFor, chosen, onChange, onChoose } = props
  const { data = [] } = useQuery(queries.mcpServers)
  if (data.length === 0) return null
  return (
    <fieldset className="scopes">
      <legend>MCP servers</legend>
      {data.map((server) => {
        const { description, id, name } = server
        const others = chosen.filter((one) => one.id !== id)
        const isChosen = others.length < chosen.length
        /** An agent may have a name of its own for it. */
        const called = chosen.find((one) => one.id === id)?.name
        return (
          <Fragment key={id}>
            <label className="check">
              <input
                type="checkbox"
                checked={isChosen}
                onChange={() => onChoose(isChosen ? others : [...chosen, { id, name }])}
              />
              <span>
                {name} <span className="faint">{description}</span>
              </span>
            </label>
            {called === undefined ? null : (
              <ServerChoices
                server={server}
                choices={choicesFor(called)}
                onChange={(choices) => onChange(called, choices)}
              />
            )}
          </Fragment>
        )
      })}
    </fieldset>
  )
}

/** What most agents are made of. The rest is edited as JSON. */
export const AgentForm = (props: {
  readonly agent: Agent | null
  readonly isBusy: boolean
  readonly error: unknown
  readonly verb: string
  readonly onSubmit: (draft: AgentDraft) => void
  /** Hears of every change, saved or not. */
  readonly onDraft?: (draft: AgentDraft) => void
}) => {
  const { agent, error, isBusy, onDraft, onSubmit, verb } = props
  const models = useQuery(queries.models)
  const [draft, setDraft] = useState<AgentDraft>({
    name: agent?.name ?? "",
    model: agent?.model.id ?? "",
    system: agent?.system ?? "",
    permission: permissionOf(agent),
    servers: serversOf(agent)
  })
  const change = (some: Partial<AgentDraft>) => setDraft((now) => ({ ...now, ...some }))
  const policies = draft.policies ?? policiesOf(agent)
  const model = draft.model === "" ? (models.data?.[0]?.id ?? "") : draft.model
  useEffect(() => onDraft?.({ ...draft, model }), [draft, model, onDraft])
  const submit = (event: FormEvent) => {
    event.preventDefault()
    onSubmit({ ...draft, model })
  }
  return (
    <form className="form" onSubmit={submit}>
      <TextField
        id="agent-name"
        title="Name"
        required
        maxLength={256}
        value={draft.name}
        onChange={(name) => change({ name })}
      />
      <div className="field-row">
        <div className="field">
          <label htmlFor="agent-model">Model</label>
          <input
            id="agent-model"
            className="input mono"
            list="models"
            required
            value={model}
            onChange={(event) => change({ model: event.target.value })}
          />
          <datalist id="models">
            {models.data?.map(({ id }) => (
              <option key={id} value={id} />
            ))}
          </datalist>
        </div>
        <div className="field">
          <label htmlFor="agent-permission">Its tools run</label>
          <select
            id="agent-permission"
            className="input"
            value={draft.permission}
            onChange={(event) => change({ permission: event.target.value as Permission })}
          >
            <option value="always_allow">in the sandbox, without asking</option>
            <option value="always_ask">only once somebody allows it</option>
          </select>
        </div>
      </div>
      <div className="field">
        <label htmlFor="agent-system">Instructions</label>
        <textarea
          id="agent-system"
          className="input"
          rows={8}
          placeholder="You keep our dependencies up to date. …"
          value={draft.system}
          onChange={(event) => change({ system: event.target.value })}
        />
      </div>
      <Servers
        chosen={draft.servers}
        onChoose={(servers) => change({ servers })}
        choicesFor={(name) => draft.choices?.[name] ?? choicesOf(agent?.tools ?? [], name)}
        onChange={(name, choices) => change({ choices: { ...draft.choices, [name]: choices } })}
      />
      <PolicyField
        id="agent-policies"
        title="Policies"
        rowsMin={2}
        text={policies}
        onChange={(text) => change({ policies: text })}
      />
      {error === null ? null : <Problem error={error} />}
      <div className="form-foot">
        <button
          type="submit"
          className="button first"
          disabled={isBusy || draft.name.trim() === "" || readPolicies(policies)._tag === "Wrong"}
        >
          {verb}
        </button>
      </div>
    </form>
  )
}
