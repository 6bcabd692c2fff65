import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import type { ModelCard } from "@troupe/client"
import * as queries from "../api/queries.ts"
import { troupe } from "../api/troupe.ts"
import { Problem } from "../ui/Problem.tsx"
import { CardPanel } from "./CardPanel.tsx"
import { standingOf } from "./cards.logic.ts"

const Card = ({ card }: { readonly card: ModelCard }) => {
  const client = useQueryClient()
  const refresh = () => void client.invalidateQueries({ queryKey: ["model-cards"] })
  const probe = useMutation({ mutationFn: () => troupe.modelCards.probe(card.id), onSettled: refresh })
  const remove = useMutation({ mutationFn: () => troupe.modelCards.delete(card.id), onSettled: refresh })
  const [isSure, setSure] = useState(false)
  const [isEdited, setEdited] = useState(false)
  const { text, tone } = standingOf(card)
  const problem = probe.error ?? remove.error
  return (
    <>
      <tr>
        <td className="wide">
          <code>{card.name}</code>{" "}
          <span className="faint">
            {card.provider} · {card.model}
            {card.key_hint === null ? "" : ` · key …${card.key_hint}`}
          </span>
        </td>
        <td className="soft optional">
          <span className={`badge ${tone}`}>{probe.isPending ? "Trying …" : text}</span>
        </td>
        <td className="right">
          <button type="button" className="button quiet" disabled={probe.isPending} onClick={() => probe.mutate()}>
            Try it
          </button>
          <button
            type="button"
            className="button quiet"
            aria-label={`Edit ${card.name}`}
            onClick={() => setEdited(true)}
          >
            Edit
          </button>
          <button
            type="button"
            className="button quiet danger"
            disabled={remove.isPending}
            onBlur={() => setSure(false)}
            onClick={() => (isSure ? remove.mutate() : setSure(true))}
          >
            {isSure ? "Agents that use it will fail. Delete" : "Delete"}
          </button>
          {isEdited ? <CardPanel card={card} onClose={() => setEdited(false)} /> : null}
        </td>
      </tr>
      {problem === null ? null : (
        <tr>
          <td colSpan={3}>
            <Problem error={problem} />
          </td>
        </tr>
      )}
    </>
  )
}

/** Models that the workspace has keys of its own for; nothing where there are none. */
export const Cards = () => {
  const { data } = useQuery(queries.modelCards)
  if (data === undefined || data.length === 0) return null
  return (
    <table className="table">
      <thead>
        <tr>
          <th>Cards, with keys of their own</th>
          <th className="optional">How it stands</th>
          <th aria-label="Actions" />
        </tr>
      </thead>
      <tbody>
        {data.map((card) => (
          <Card key={card.id} card={card} />
        ))}
      </tbody>
    </table>
  )
}
