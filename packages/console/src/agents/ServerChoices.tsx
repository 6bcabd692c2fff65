import type { McpServer } from "@troupe/client"
import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import * as queries from "../api/queries.ts"
import { type Choice, type Choices, choiceTexts, withChoice } from "./toolChoices.logic.ts"

const options = Object.keys(choiceTexts) as ReadonlyArray<Choice>

/** How one tool is used, where that is another way than the others. */
const ToolChoice = (props: {
  readonly name: string
  readonly choice: Choice | undefined
  readonly onChoose: (choice: Choice | null) => void
}) => (
  <label className="tool-choice">
    <code className="cut">{props.name}</code>
    <select
      className="input"
      aria-label={`Calls of ${props.name}`}
      value={props.choice ?? ""}
      onChange={({ target }) => props.onChoose(target.value === "" ? null : (target.value as Choice))}
    >
      <option value="">as the others</option>
      {options.map((one) => (
        <option key={one} value={one}>
          {choiceTexts[one]}
        </option>
      ))}
    </select>
  </label>
)

/** Each tool that the server has, or that somebody has chosen for before. */
const ToolList = (props: {
  readonly server: McpServer
  readonly choices: Choices
  readonly onChange: (choices: Choices) => void
}) => {
  const { choices, onChange, server } = props
  const found = useQuery(queries.mcpTools(server))
  const names = [...new Set([...(found.data?.tools ?? []).map(({ name }) => name), ...Object.keys(choices.tools)])]
  if (found.isPending) return <p className="faint">Asking the server which it has …</p>
  return (
    <>
      {names.map((name) => (
        <ToolChoice
          key={name}
          name={name}
          choice={choices.tools[name]}
          onChoose={(choice) => onChange(withChoice(choices, name, choice))}
        />
      ))}
      {names.length > 0 ? null : (
        <p className="faint">{found.data?.reason ?? "Which it has is known once it runs. Name them in the JSON."}</p>
      )}
    </>
  )
}

/** Whether an agent asks before it calls the tools of a server: for all of them, and for each. */
export const ServerChoices = (props: {
  readonly server: McpServer
  readonly choices: Choices
  readonly onChange: (choices: Choices) => void
}) => {
  const { choices, onChange, server } = props
  const [isOpen, setOpen] = useState(false)
  const exceptions = Object.keys(choices.tools).length
  return (
    <div className="server-choices">
      <label className="tool-choice">
        <span>Its tools</span>
        <select
          className="input"
          aria-label={`Tools of ${server.name}`}
          value={choices.usual}
          onChange={({ target }) => onChange({ ...choices, usual: target.value as Choice })}
        >
          {options.map((one) => (
            <option key={one} value={one}>
              {choiceTexts[one]}
            </option>
          ))}
        </select>
      </label>
      <button type="button" className="button quiet" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        Each by itself{exceptions === 0 ? "" : ` (${exceptions})`}
      </button>
      {isOpen ? <ToolList server={server} choices={choices} onChange={onChange} /> : null}
    </div>
  )
}
