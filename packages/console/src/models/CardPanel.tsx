import { useMutation, useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import type { ModelCard } from "@troupe/client"
import { troupe } from "../api/troupe.ts"
import { Panel } from "../ui/Panel.tsx"
import { Problem } from "../ui/Problem.tsx"
import { SecretHeaders } from "../ui/SecretHeaders.tsx"
import { TextField } from "../ui/TextField.tsx"
import { bodyOf, type Draft, draftOf, missing, type Provider, providers, updateOf } from "./cards.logic.ts"
import { priceParts } from "./price.logic.ts"
import "./models.css"

/** What there is to say of a model where it is not known by itself, and what else is sent to it. */
const Details = (props: {
  readonly draft: Draft
  /** The names of headers that are kept. */
  readonly kept: ReadonlyArray<string>
  readonly onChange: (some: Partial<Draft>) => void
}) => {
  const { draft, kept, onChange } = props
  return (
    <details className="card-details">
      <summary>Size, price and headers</summary>
      <div className="form">
        <div className="field-row">
          <TextField
            isLiteral
            id="card-context"
            title="Tokens it reads at most"
            value={draft.contextTokens}
            onChange={(contextTokens) => onChange({ contextTokens })}
          />
          <TextField
            isLiteral
            id="card-output"
            title="Tokens it writes at most"
            value={draft.outputTokens}
            onChange={(outputTokens) => onChange({ outputTokens })}
          />
        </div>
        <fieldset className="scopes">
          <legend>Price of a million tokens, in dollars</legend>
          <div className="field-row">
            {priceParts.map(({ id, title }) => (
              <TextField
                isLiteral
                key={id}
                id={`card-price-${id}`}
                title={title}
                value={draft.price[id]}
                onChange={(value) => onChange({ price: { ...draft.price, [id]: value } })}
              />
            ))}
          </div>
        </fieldset>
        <SecretHeaders
          headers={draft.headers}
          kept={kept}
          hint="They are sent with each request."
          onChange={(headers) => onChange({ headers })}
        />
      </div>
    </details>
  )
}

const keyHint = (card: ModelCard | null): string | undefined => {
  if (card === null) return undefined
  const kept = card.key_hint === null ? "What is kept stays where" : `The one that ends in ${card.key_hint} stays where`
  return `${kept} nothing is written here. With another provider or address, it is given again.`
}

/** A model with a key of its own, made or changed. The key is sealed on the server, and never shown again. */
export const CardPanel = ({ card, onClose }: { readonly card: ModelCard | null; readonly onClose: () => void }) => {
  const client = useQueryClient()
  const [draft, setDraft] = useState(() => draftOf(card))
  const set = (change: Partial<Draft>) => setDraft((now) => ({ ...now, ...change }))
  const save = useMutation({
    mutationFn: () =>
      card === null
        ? troupe.modelCards.create(bodyOf(draft))
        : troupe.modelCards.update(card.id, updateOf(draft, card)),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["model-cards"] })
      onClose()
    }
  })
  const why = missing(draft)
  const hint = keyHint(card)
  return (
    <Panel
      title={card === null ? "New model card" : `Edit ${card.name}`}
      isOpen
      onClose={onClose}
      footer={
        <button
          type="button"
          className="button first"
          disabled={why !== null || save.isPending}
          onClick={() => save.mutate()}
        >
          {card === null ? "Make it" : "Save"}
        </button>
      }
    >
      {card !== null ? null : (
        <TextField
          isLiteral
          id="card-name"
          title="Name"
          hint="What agents write as their model."
          value={draft.name}
          onChange={(name) => set({ name })}
        />
      )}
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
        <TextField isLiteral id="card-model" title="Model" value={draft.model} onChange={(model) => set({ model })} />
      </div>
      <TextField
        isLiteral
        id="card-url"
        title="Address"
        hint="Where it is not the provider's own."
        value={draft.baseUrl}
        onChange={(baseUrl) => set({ baseUrl })}
      />
      {draft.provider !== "azure" ? null : (
        <TextField
          isLiteral
          id="card-version"
          title="Version of its API"
          value={draft.apiVersion}
          onChange={(apiVersion) => set({ apiVersion })}
        />
      )}
      <TextField
        isLiteral
        id="card-key"
        title="Key"
        type="password"
        hint={hint}
        value={draft.key}
        onChange={(key) => set({ key })}
      />
      {draft.provider !== "azure" ? null : (
        <TextField
          isLiteral
          id="card-token"
          title="Token of Azure's directory"
          type="password"
          hint="In the place of a key."
          value={draft.directoryToken}
          onChange={(directoryToken) => set({ directoryToken })}
        />
      )}
      <Details draft={draft} kept={card?.header_names ?? []} onChange={set} />
      {why === null || draft.name === "" ? null : <p className="faint">{why}</p>}
      {save.error === null ? null : <Problem error={save.error} />}
    </Panel>
  )
}
