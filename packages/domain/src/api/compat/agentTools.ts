import { Result, Schema } from "effect"
import { McpServerId } from "../../Ids.ts"
import type { JsonObject } from "../../Json.ts"
import { schemaFault } from "../../tools/harmlessSchema.ts"
import { type BuiltInTool, builtInTools, platformTools } from "../../tools/Toolset.ts"
import { invalid, refuse } from "../ApiError.ts"
import { Name } from "../Common.ts"
import { McpOptions, McpServerName, StdioReach, UrlReach } from "../McpServers.ts"
import { describe } from "../problems.ts"

const nullish = <S extends Schema.Top>(field: S) => Schema.optionalKey(Schema.NullOr(field))

const Rule = Schema.Struct({
  tool: Schema.String,
  when: Schema.optionalKey(Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Array(Schema.String)]))),
  then: Schema.Literals(["allow", "ask", "deny"]),
  reason: Schema.optionalKey(Schema.String)
})

const Policy = Schema.Union([
  Schema.Struct({ type: Schema.Literals(["always_allow", "always_ask", "auto"]) }),
  Schema.Struct({
    type: Schema.Literal("rules"),
    rules: Schema.Array(Rule),
    otherwise: Schema.optionalKey(Schema.Literals(["allow", "ask", "deny"]))
  })
])

const settings = { enabled: nullish(Schema.Boolean), permission_policy: nullish(Policy) }
const Default = Schema.Struct(settings)
const domains = {
  allowed_domains: nullish(Schema.Array(Name(253)).check(Schema.isMaxLength(64))),
  blocked_domains: nullish(Schema.Array(Name(253)).check(Schema.isMaxLength(64)))
}
const ofWeb: { readonly [Name in BuiltInTool]?: Schema.Struct.Fields } = {
  web_fetch: {
    ...domains,
    max_content_tokens: nullish(Schema.Int.check(Schema.isGreaterThan(0))),
    url_sources: nullish(Schema.Record(Schema.String, Schema.Json))
  },
  web_search: { ...domains, user_location: nullish(Schema.Record(Schema.String, Schema.Json)) }
}

const configOf = (name: BuiltInTool) =>
  Schema.Struct({
    name: Schema.Literal(name),
    type: Schema.optionalKey(Schema.Literal(name)),
    ...settings,
    ...ofWeb[name]
  })
const configs = Object.fromEntries(builtInTools.map((name) => [name, configOf(name)])) as unknown as Record<
  BuiltInTool,
  Schema.Codec<JsonObject>
>
const McpConfig = Schema.Struct({ name: Name(256), type: Schema.optionalKey(Schema.String), ...settings })

const Configs = Schema.optionalKey(Schema.NullOr(Schema.Array(Schema.Record(Schema.String, Schema.Json))))
const Toolset = Schema.Struct({
  type: Schema.Literal("agent_toolset_20260401"),
  default_config: nullish(Default),
  configs: Configs
})
const TroupeToolset = Schema.Struct({
  type: Schema.Literal("troupe_toolset"),
  default_config: nullish(Default),
  configs: Configs
})
const PlatformConfig = Schema.Struct({ name: Schema.Literals(platformTools), ...settings })
const McpToolset = Schema.Struct({
  type: Schema.Literal("mcp_toolset"),
  mcp_server_name: Name(255),
  default_config: nullish(Default),
  configs: Configs
})
const Custom = Schema.Struct({
  type: Schema.Literal("custom"),
  name: Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_-]{1,128}$/)),
  description: Name(10_000),
  input_schema: Schema.StructWithRest(Schema.Struct({ type: Schema.Literal("object") }), [
    Schema.Record(Schema.String, Schema.Json)
  ])
})
const common = { name: McpServerName, troupe: Schema.optionalKey(McpOptions) }
/** A server of the workspace's own list, by its id: what it is is looked up when a session begins. */
const Registered = Schema.Struct({ type: Schema.Literal("registered"), name: McpServerName, server_id: McpServerId })
const servers = {
  url: Schema.Struct({ ...common, ...UrlReach }),
  stdio: Schema.Struct({ ...common, ...StdioReach }),
  registered: Registered
}

const read = <A>(schema: Schema.Top, value: unknown, at: string): A => {
  const options = { errors: "all", onExcessProperty: "error" } as const
  const result = Schema.decodeUnknownResult(schema as unknown as Schema.Codec<A>)(value, options)
  if (Result.isFailure(result)) throw invalid(describe(result.failure, at))
  return result.success
}

type Resolved = { readonly enabled: boolean; readonly permission_policy: JsonObject }
type Given = { readonly enabled?: unknown; readonly permission_policy?: unknown } | null | undefined

const resolvedWith = (given: Given, usual: Resolved): Resolved => ({
  enabled: typeof given?.enabled === "boolean" ? given.enabled : usual.enabled,
  permission_policy: (given?.permission_policy as JsonObject | null | undefined) ?? usual.permission_policy
})

const isBuiltIn = (name: unknown): name is BuiltInTool => builtInTools.some((known) => known === name)
const shown = (value: unknown): string => (value === undefined ? "(missing)" : JSON.stringify(value).slice(0, 128))

const builtInConfig = (raw: JsonObject, at: string, usual: Resolved): JsonObject => {
  const { name } = raw
  if (!isBuiltIn(name)) return refuse(`${at}.name: unknown tool ${shown(name)}`)
  const config = read<JsonObject>(configs[name], raw, at)
  const own = Object.entries(config).filter(([key, value]) => value !== null && !Object.hasOwn(settings, key))
  if (own.filter(([key]) => key.endsWith("_domains")).length > 1) {
    refuse(`${at}: allowed_domains and blocked_domains exclude each other`)
  }
  const always = name === "web_fetch" ? { url_sources: null } : {}
  return { ...always, ...Object.fromEntries(own), type: name, ...resolvedWith(config, usual) }
}

const mcpConfig = (raw: JsonObject, at: string, usual: Resolved): JsonObject => {
  const config = read<typeof McpConfig.Type>(McpConfig, raw, at)
  return { name: config.name, ...resolvedWith(config, usual) }
}

const platformConfig = (raw: JsonObject, at: string, usual: Resolved): JsonObject => {
  const config = read<typeof PlatformConfig.Type>(PlatformConfig, raw, at)
  return { name: config.name, ...resolvedWith(config, usual) }
}

const allOf = (
  list: ReadonlyArray<JsonObject> | null | undefined,
  at: string,
  usual: Resolved,
  one: typeof mcpConfig
): ReadonlyArray<JsonObject> => {
  const seen = new Set<unknown>()
  return (list ?? []).map((raw, index) => {
    const config = one(raw, `${at}.configs.${index}`, usual)
    if (seen.has(config["name"])) refuse(`${at}.configs.${index}.name: ${shown(config["name"])} is configured twice`)
    seen.add(config["name"])
    return config
  })
}

const allow: Resolved = { enabled: true, permission_policy: { type: "always_allow" } }
const ask: Resolved = { enabled: true, permission_policy: { type: "always_ask" } }

const resolveTool = (raw: JsonObject, at: string): JsonObject => {
  switch (raw["type"]) {
    case "agent_toolset_20260401": {
      const set = read<typeof Toolset.Type>(Toolset, raw, at)
      const usual = resolvedWith(set.default_config, allow)
      return { type: set.type, default_config: { ...usual }, configs: allOf(set.configs, at, usual, builtInConfig) }
    }
    case "troupe_toolset": {
      const set = read<typeof TroupeToolset.Type>(TroupeToolset, raw, at)
      // What is named is given; the rest only where the default says so.
      const usual = resolvedWith(set.default_config, { ...allow, enabled: false })
      const named = resolvedWith(set.default_config, allow)
      return { type: set.type, default_config: { ...usual }, configs: allOf(set.configs, at, named, platformConfig) }
    }
    case "mcp_toolset": {
      const set = read<typeof McpToolset.Type>(McpToolset, raw, at)
      const usual = resolvedWith(set.default_config, ask)
      const { mcp_server_name, type } = set
      return { type, mcp_server_name, default_config: { ...usual }, configs: allOf(set.configs, at, usual, mcpConfig) }
    }
    case "custom": {
      const tool = read<JsonObject>(Custom, raw, at)
      const fault = schemaFault(tool["input_schema"] as JsonObject)
      return fault === null ? tool : refuse(`${at}.input_schema: ${fault}`)
    }
    default:
      return refuse(`${at}.type: unknown tool type ${shown(raw["type"])}`)
  }
}

/** Servers as they are kept. Names are unique. */
export const resolveServers = (list: ReadonlyArray<JsonObject>): ReadonlyArray<JsonObject> => {
  const names = new Set<string>()
  return list.map((raw, index) => {
    const at = `mcp_servers.${index}`
    const { type } = raw
    if (type !== "url" && type !== "stdio" && type !== "registered") {
      return refuse(`${at}.type: takes url, stdio, registered, not ${shown(type)}`)
    }
    const server = read<JsonObject & { readonly name: string }>(servers[type], raw, at)
    if (names.has(server.name)) refuse(`mcp_servers.${index}.name: ${shown(server.name)} is used twice`)
    names.add(server.name)
    return server
  })
}

/** The servers of the workspace's list that are named, with their places. */
export const registeredServers = (
  servers: ReadonlyArray<JsonObject>
): ReadonlyArray<{ readonly at: number; readonly name: string; readonly serverId: McpServerId }> =>
  servers.flatMap((server, at) =>
    server["type"] === "registered"
      ? [{ at, name: String(server["name"]), serverId: server["server_id"] as McpServerId }]
      : []
  )

/** What there may be only one of in a list of tools. */
const keyOf = (tool: JsonObject): string => {
  if (tool["type"] === "custom") return `tool ${shown(tool["name"])}`
  return tool["type"] === "mcp_toolset" ? `toolset of ${shown(tool["mcp_server_name"])}` : String(tool["type"])
}

/** Tools as they are kept, with every default written out. */
export const resolveTools = (list: ReadonlyArray<JsonObject>): ReadonlyArray<JsonObject> => {
  const keys = new Set<string>(builtInTools.map((name) => `tool ${shown(name)}`))
  return list.map((raw, index) => {
    const tool = resolveTool(raw, `tools.${index}`)
    const key = keyOf(tool)
    if (keys.has(key)) refuse(`tools.${index}: there is a ${key} already`)
    keys.add(key)
    return tool
  })
}

/** Each server is used by a toolset, and each toolset names a server. */
export const checkReferences = (tools: ReadonlyArray<JsonObject>, servers: ReadonlyArray<JsonObject>): void => {
  const used = tools.flatMap((tool) => (tool["type"] === "mcp_toolset" ? [tool["mcp_server_name"]] : []))
  const known = servers.map((server) => server["name"])
  const lost = used.find((name) => !known.includes(name))
  if (lost !== undefined) refuse(`tools: mcp_server_name ${shown(lost)} is not in mcp_servers`)
  const idle = known.find((name) => !used.includes(name))
  if (idle !== undefined) refuse(`mcp_servers: ${shown(idle)} is not referenced by any mcp_toolset`)
}
