import { Result, Schema } from "effect"
import { Json, JsonObject } from "../Json.ts"
import { schemaFault } from "./harmlessSchema.ts"

/** The tools that every installation brings, by the names that agents and policies use. */
export const builtInTools = ["bash", "read", "write", "edit", "glob", "grep", "web_fetch", "web_search"] as const
export type BuiltInTool = (typeof builtInTools)[number]

/** Tools that the installation itself runs, for agents that are given them by name. */
export const platformTools = ["ask_user", "update_plan"] as const
export type PlatformTool = (typeof platformTools)[number]

export const toolsMax = 256

const Domains = Schema.Array(Schema.String).check(Schema.isMaxLength(64))

/** How one tool of a toolset is set up. Its policy is read where it is applied, so that no shape of it is lost. */
export const ToolConfig = Schema.Struct({
  enabled: Schema.optionalKey(Schema.Boolean),
  permission_policy: Schema.optionalKey(Json),
  allowed_domains: Schema.optionalKey(Domains),
  blocked_domains: Schema.optionalKey(Domains),
  max_content_tokens: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0)))
}).check(
  Schema.makeFilter(({ allowed_domains, blocked_domains }) =>
    allowed_domains !== undefined && blocked_domains !== undefined
      ? { path: ["blocked_domains"], issue: "a tool has allowed or blocked domains, not both" }
      : undefined
  )
)
export type ToolConfig = typeof ToolConfig.Type

const NamedConfig = Schema.Struct({ name: Schema.String })

const Toolset = Schema.Struct({
  default_config: Schema.optionalKey(ToolConfig),
  configs: Schema.optionalKey(Schema.Array(JsonObject))
})

const CustomTool = Schema.Struct({
  name: Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_-]{1,128}$/)),
  description: Schema.String,
  input_schema: JsonObject
})

const McpToolset = Schema.Struct({ mcp_server_name: Schema.String, ...Toolset.fields })

/** A tool that an agent is given, before anybody knows who runs it. */
export type ToolEntry =
  | { readonly _tag: "BuiltIn"; readonly name: BuiltInTool; readonly config: ToolConfig }
  | { readonly _tag: "Platform"; readonly name: PlatformTool; readonly config: ToolConfig }
  | { readonly _tag: "Custom"; readonly name: string; readonly description: string; readonly inputSchema: JsonObject }
  | {
      readonly _tag: "Mcp"
      readonly server: string
      readonly defaults: ToolConfig
      readonly configs: Readonly<Record<string, ToolConfig>>
    }

/** Why a part of the list gives no tool. The others are given all the same. */
export const ToolProblem = Schema.Struct({
  at: Schema.String,
  code: Schema.Literals(["unknown_type", "invalid", "unknown_tool", "duplicate", "too_many"]),
  detail: Schema.String
})
export type ToolProblem = typeof ToolProblem.Type

export interface ToolEntries {
  readonly entries: ReadonlyArray<ToolEntry>
  readonly problems: ReadonlyArray<ToolProblem>
}

/** An agent's tools, as its list says. */
export const toolEntries = (tools: ReadonlyArray<JsonObject>): ToolEntries => {
  const entries: Array<ToolEntry> = []
  const problems: Array<ToolProblem> = []
  const taken = new Set<string>()
  const problem = (at: string, code: ToolProblem["code"], detail: string) => void problems.push({ at, code, detail })
  const add = (at: string, key: string, entry: ToolEntry) => {
    if (taken.has(key)) return problem(at, "duplicate", `there is another ${key} before it`)
    if (entries.length >= toolsMax) return problem(at, "too_many", `an agent has at most ${toolsMax} tools`)
    taken.add(key)
    entries.push(entry)
  }
  const configsOf = (at: string, list: ReadonlyArray<JsonObject>, known: (name: string) => boolean) => {
    const configs: Record<string, ToolConfig> = {}
    for (const [index, raw] of list.entries()) {
      const place = `${at}.configs[${index}]`
      const name = decode(NamedConfig, raw)
      const config = decode(ToolConfig, raw)
      if (Result.isFailure(name)) problem(place, "invalid", name.failure)
      else if (!known(name.success.name)) problem(place, "unknown_tool", `there is no tool ${name.success.name}`)
      else if (Object.hasOwn(configs, name.success.name)) {
        problem(place, "duplicate", `${name.success.name} is set up twice`)
      } else if (Result.isFailure(config)) {
        problem(place, "invalid", config.failure)
        // Set up wrong is not set up as usual.
        configs[name.success.name] = { enabled: false }
      } else configs[name.success.name] = config.success
    }
    return configs
  }

  for (const [index, raw] of tools.entries()) {
    const at = `tools[${index}]`
    switch (raw["type"]) {
      case "agent_toolset_20260401": {
        const toolset = decode(Toolset, raw)
        if (Result.isFailure(toolset)) {
          problem(at, "invalid", toolset.failure)
          break
        }
        const isBuiltIn = (name: string) => builtInTools.some((known) => known === name)
        const configs = configsOf(at, toolset.success.configs ?? [], isBuiltIn)
        const defaults = toolset.success.default_config ?? {}
        for (const name of builtInTools) {
          const config = { ...allowed, ...defaults, ...configs[name] }
          if (config.enabled !== false) add(at, name, { _tag: "BuiltIn", name, config })
        }
        break
      }
      case "troupe_toolset": {
        const toolset = decode(Toolset, raw)
        if (Result.isFailure(toolset)) {
          problem(at, "invalid", toolset.failure)
          break
        }
        const isPlatform = (name: string) => platformTools.some((known) => known === name)
        const configs = configsOf(at, toolset.success.configs ?? [], isPlatform)
        const defaults = toolset.success.default_config ?? {}
        for (const name of platformTools) {
          // Named is given: what is not named is there only where the default says so.
          const named = configs[name] === undefined ? { enabled: false } : { enabled: true }
          const config = { ...allowed, ...named, ...defaults, ...configs[name] }
          if (config.enabled !== false) add(at, name, { _tag: "Platform", name, config })
        }
        break
      }
      case "custom": {
        const tool = decode(CustomTool, raw)
        if (Result.isFailure(tool)) {
          problem(at, "invalid", tool.failure)
          break
        }
        const { description, input_schema, name } = tool.success
        const fault = schemaFault(input_schema)
        if (fault !== null) {
          problem(at, "invalid", `the input_schema of ${name} ${fault}`)
          break
        }
        add(at, name, { _tag: "Custom", name, description, inputSchema: input_schema })
        break
      }
      case "mcp_toolset": {
        const toolset = decode(McpToolset, raw)
        if (Result.isFailure(toolset)) {
          problem(at, "invalid", toolset.failure)
          break
        }
        const { configs = [], default_config = {}, mcp_server_name: server } = toolset.success
        const defaults = { permission_policy: { type: "always_ask" }, ...default_config }
        add(at, `the server ${server}`, {
          _tag: "Mcp",
          server,
          defaults,
          configs: configsOf(at, configs, () => true)
        })
        break
      }
      default:
        problem(at, "unknown_type", `${JSON.stringify(raw["type"]) ?? "nothing"} is not a type of tool`)
    }
  }
  return { entries, problems }
}

const allowed: ToolConfig = { permission_policy: { type: "always_allow" } }

const decode = <A>(schema: Schema.Codec<A, unknown>, value: unknown): Result.Result<A, string> =>
  Result.mapError(Schema.decodeUnknownResult(schema as Schema.Codec<A>)(value, { errors: "all" }), (issue) =>
    String(issue).replaceAll(/\s*\n\s*/g, " ")
  )
