import { useQuery } from "@tanstack/react-query"
import * as queries from "../api/queries.ts"
import { type Choice, choicesOf, efforts } from "./choice.logic.ts"

/** What the next message's turn does otherwise than its agent: another model, more effort. */
export const TurnChoice = (props: {
  readonly choice: Choice
  /** The model of the agent, where it is known. */
  readonly usual: string | null
  readonly onChoose: (choice: Choice) => void
}) => {
  const { choice, onChoose, usual } = props
  const models = useQuery(queries.models)
  const chosen = (value: string) => (value === "" ? null : value)
  return (
    <>
      <select
        className={choice.model === null ? "pick" : "pick chosen"}
        aria-label="Model for this message"
        value={choice.model ?? ""}
        onChange={({ target }) => onChoose({ ...choice, model: chosen(target.value) })}
      >
        <option value="">{usual === null ? "Agent’s model" : `${usual} (agent’s)`}</option>
        {choicesOf(models.data ?? [], choice.model).map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      <select
        className={choice.effort === null ? "pick" : "pick chosen"}
        aria-label="Effort for this message"
        value={choice.effort ?? ""}
        onChange={({ target }) => onChoose({ ...choice, effort: chosen(target.value) })}
      >
        {efforts.map(({ id, title }) => (
          <option key={id} value={id}>
            {title}
          </option>
        ))}
      </select>
    </>
  )
}
