import type { Agent } from "@troupe/client"

type Entry = Agent["tools"][number]
export type Choice = "always_ask" | "always_allow" | "off"

/** What an agent may do with the tools of a server: all of them, and those that are an exception. */
export interface Choices {
  readonly usual: Choice
  readonly tools: Readonly<Record<string, Choice>>
}

export const choiceTexts: Readonly<Record<Choice, string>> = {
  always_ask: "ask before each call",
  always_allow: "run without asking",
  off: "are not given to it"
}

export const usualChoices: Choices = { usual: "always_ask", tools: {} }

interface Config {
  readonly enabled?: boolean
  readonly permission_policy?: { readonly type?: string }
}

const choiceOf = (config: Config, usual: Choice): Choice => {
  if (config.enabled === false) return "off"
  const type = config.permission_policy?.type
  if (type === "always_allow" || type === "always_ask") return type
  return usual === "off" ? "always_ask" : usual
}

const toolsetOf = (tools: ReadonlyArray<Entry>, server: string): Entry | undefined =>
  tools.find(({ mcp_server_name: name, type }) => type === "mcp_toolset" && name === server)

type NamedConfig = Config & { readonly name: string }

/** What is said of single tools. */
const configsIn = (toolset: Entry): ReadonlyArray<NamedConfig> =>
  (toolset["configs"] ?? []) as unknown as ReadonlyArray<NamedConfig>

/** How an agent's toolset of a server is set up. */
export const choicesOf = (tools: ReadonlyArray<Entry>, server: string): Choices => {
  const toolset = toolsetOf(tools, server)
  if (toolset === undefined) return usualChoices
  const usual = choiceOf((toolset["default_config"] ?? {}) as Config, "always_ask")
  return {
    usual,
    tools: Object.fromEntries(configsIn(toolset).map((config) => [config.name, choiceOf(config, usual)]))
  }
}

const configured = (before: Readonly<Record<string, unknown>>, choice: Choice) => {
  const { enabled: _, permission_policy: policy, ...rest } = before
  return choice === "off"
    ? { ...rest, enabled: false, ...(policy === undefined ? {} : { permission_policy: policy }) }
    : { ...rest, enabled: true, permission_policy: { type: choice } }
}

/** The toolset of a server with these choices. What else is set up in it stays, and what was not chosen anew is as it was. */
const chosenIn = (toolset: Entry, { tools, usual }: Choices): Entry => {
  const before = choicesOf([toolset], String(toolset["mcp_server_name"]))
  const known = new Map<string, object>(configsIn(toolset).map((config) => [config.name, config]))
  const defaults = (toolset["default_config"] ?? {}) as Readonly<Record<string, unknown>>
  for (const [name, choice] of Object.entries(tools)) {
    if (choice === before.tools[name]) continue
    known.set(name, { ...configured((known.get(name) ?? {}) as Readonly<Record<string, unknown>>, choice), name })
  }
  for (const name of Object.keys(before.tools)) if (!Object.hasOwn(tools, name)) known.delete(name)
  return {
    ...toolset,
    ...(usual === before.usual ? {} : { default_config: configured(defaults, usual) }),
    ...(known.size === 0 && toolset["configs"] === undefined ? {} : { configs: [...known.values()] })
  } as Entry
}

/** An agent's tools with what was chosen for those of its servers, by the name of each. */
export const withChoices = (
  tools: ReadonlyArray<Entry>,
  choices: Readonly<Record<string, Choices>>
): ReadonlyArray<Entry> =>
  tools.map((tool) => {
    const chosen = tool["type"] === "mcp_toolset" ? choices[String(tool["mcp_server_name"])] : undefined
    return chosen === undefined ? tool : chosenIn(tool, chosen)
  })

/** With another choice for one tool; null goes back to what holds for all. */
export const withChoice = ({ tools, usual }: Choices, tool: string, choice: Choice | null): Choices => {
  const { [tool]: _, ...others } = tools
  return { usual, tools: choice === null ? others : { ...others, [tool]: choice } }
}
