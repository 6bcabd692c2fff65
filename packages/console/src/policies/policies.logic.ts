import type { PolicyDryRun, PolicyVerdict, WorkspacePolicies } from "@troupe/client"

export type Policy = WorkspacePolicies["policies"][number]
type Rules = Extract<Policy, { readonly type: "rules" }>

export const textOf = (policies: ReadonlyArray<object>): string => JSON.stringify(policies, null, 2)

export type Read =
  | { readonly _tag: "Read"; readonly policies: ReadonlyArray<Policy> }
  | { readonly _tag: "Wrong"; readonly why: string }

/** Policies as somebody writes them. What they may hold is the server's to say. */
export const readPolicies = (text: string): Read => {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value)
      ? { _tag: "Read", policies: value as ReadonlyArray<Policy> }
      : { _tag: "Wrong", why: "Policies are a list: [ … ]" }
  } catch (error) {
    return { _tag: "Wrong", why: error instanceof Error ? error.message : String(error) }
  }
}

/** The same text with one policy more at its end; as it is, where it can't be read. */
export const withPolicy = (text: string, policy: Policy): string => {
  const read = readPolicies(text)
  return read._tag === "Read" ? textOf([...read.policies, policy]) : text
}

const patterns = (value: string | ReadonlyArray<string>): string =>
  typeof value === "string" ? value : value.join(" or ")

const says = { allow: "is allowed", ask: "is asked for", deny: "is denied" } as const

const ruleText = ({ reason, then, tool, when = {} }: Rules["rules"][number]): string => {
  const conditions = Object.entries(when).map(([name, value]) => `${name} is ${patterns(value)}`)
  const where = conditions.length === 0 ? "" : ` where ${conditions.join(" and ")}`
  return `${tool === "*" ? "Any tool" : tool}${where} ${says[then]}${reason === undefined ? "" : `: ${reason}`}`
}

/** A policy in sentences, one for each thing that it says. */
export const linesOf = (policy: Policy): ReadonlyArray<string> => {
  switch (policy.type) {
    case "always_allow":
      return ["Everything is allowed"]
    case "always_ask":
      return ["Everything is asked for"]
    case "auto":
      return ["A model looks at each call first: low risk is allowed, high risk is denied, anything else is asked for"]
    case "preset":
      return [`What the preset ${policy.preset} takes away`]
    case "restrictions":
      return policy.restrictions.map((name) => `What ${name} takes away`)
    case "rules":
      return [
        ...policy.rules.map(ruleText),
        ...(policy.otherwise === undefined ? [] : [`Anything else ${says[policy.otherwise]}`])
      ]
  }
}

export interface Trial {
  readonly tool: string
  readonly input: string
  readonly agentId: string
}

export type Asked =
  | { readonly _tag: "Asked"; readonly body: PolicyDryRun }
  | { readonly _tag: "Wrong"; readonly why: string }

/** A call to be judged; a tool of a server is written as `server/tool`, as rules write it. */
export const trialOf = ({ agentId, input, tool }: Trial, policies: ReadonlyArray<Policy> | null): Asked => {
  const name = tool.trim()
  if (name === "") return { _tag: "Wrong", why: "Say which tool." }
  const slash = name.indexOf("/")
  let arguments_: unknown
  try {
    arguments_ = input.trim() === "" ? undefined : JSON.parse(input)
  } catch (error) {
    return { _tag: "Wrong", why: error instanceof Error ? error.message : String(error) }
  }
  return {
    _tag: "Asked",
    body: {
      ...(slash < 1 ? { tool: name } : { server: name.slice(0, slash), tool: name.slice(slash + 1) }),
      ...(arguments_ === undefined ? {} : { input: arguments_ as never }),
      ...(agentId === "" ? {} : { agent_id: agentId as never }),
      ...(policies === null ? {} : { policies })
    }
  }
}

const layers: Readonly<Record<PolicyVerdict["layer"], string>> = {
  server: "a policy of the server",
  workspace: "a policy of this workspace",
  agent: "a policy of the agent",
  session: "a policy of the session",
  turn: "the turn's preset",
  tool: "the tool's own policy",
  catalog: "the agent's tools: this is none of them",
  isolation: "the sandbox: nothing isolates the tool",
  nothing: "nobody: no layer speaks of it"
}

/** What would become of a call, and who said so. */
export const verdictShown = ({ auto, layer, reason, rule, verdict }: PolicyVerdict) => ({
  tone: verdict === "allow" ? "good" : verdict === "ask" ? "warn" : "bad",
  text: auto
    ? "A model would be asked first"
    : { allow: "It would run", ask: "Somebody would be asked", deny: "It would be denied" }[verdict],
  by: `By ${layers[layer]}`,
  rule,
  reason
})
