import { useMutation, useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { troupe } from "../api/troupe.ts"
import { Panel } from "../ui/Panel.tsx"
import { Problem } from "../ui/Problem.tsx"
import { bodyOf, type Draft, emptyDraft, missing, type Provider, providers } from "./cards.logic.ts"

const Text = (props: {
  readonly id: string
  readonly title: string
  readonly hint?: string
  readonly type?: string
  readonly value: string
  readonly onChange: (value: string) => void
}) => (
  <div className="field">
    <label htmlFor={props.id}>{props.title}</label>
    <input
      id={props.id}
      className="input mono"
      type={props.type ?? "text"}
      autoComplete="off"
      spellCheck={false}
      value={props.value}
      onChange={(event) => props.onChange(event.target.value)}
    />
    {props.hint === undefined ? null : <span className="hint">{props.hint}</span>}
  </div>
)

/** A model with a key of its own. The key is sealed on the server, and never shown again. */
export const NewCard = ({ onClose }: { readonly onClose: () => void }) => {
  const client = useQueryClient()
  const [draft, setDraft] = useState<Draft>(emptyDraft)
  const set = (change: Partial<Draft>) => setDraft((now) => ({ ...now, ...change }))
  const create = useMutation({
    mutationFn: () => troupe.modelCards.create(bodyOf(draft)),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["model-cards"] })
      onClose()
    }
  })
  const why = missing(draft)
  return (
    <Panel
      title="New model card"
      isOpen
      onClose={onClose}
      footer={
        <button
          type="button"
          className="button first"
          disabled={why !== null || create.isPending}
          onClick={() => create.mutate()}
        >
          Make it
        </button>
      }
    >
      <Text
        id="card-name"
        title="Name"
        hint="What agents write as their model."
        value={draft.name}
        onChange={(name) => set({ name })}
      />
      <div className="field-row">
        <div className="field">
          <label htmlFor="card-provider">Provider</label>
          <select
            id="card-provider"
            className="input"
            value={draft.provider}
            onChange={(event) => set({ provider: event.target.value as Provider })}
          >
            {providers.map(({ id, title }) => (
              <option key={id} value={id}>
                {title}
              </option>
            ))}
          </select>
        </div>
        <Text id="card-model" title="Model" value={draft.model} onChange={(model) => set({ model })} />
      </div>
      <Text
        id="card-url"
        title="Address"
        hint="Where it is not the provider's own."
        value={draft.baseUrl}
        onChange={(baseUrl) => set({ baseUrl })}
      />
      <Text id="card-key" title="Key" type="password" value={draft.key} onChange={(key) => set({ key })} />
      {why === null || draft.name === "" ? null : <p className="faint">{why}</p>}
      {create.error === null ? null : <Problem error={create.error} />}
    </Panel>
  )
}
