import type { JsonObject } from "@troupe/domain/Json"
import type { ToolProblem } from "@troupe/domain/tools/Toolset"
import { harmlessSchema } from "@troupe/domain/tools/harmlessSchema"
import { Effect, Schema } from "effect"
import { mcpLimits } from "./limits.ts"
import type { McpConnection } from "./McpConnection.ts"
import type { McpError } from "./McpError.ts"
import { isAllowed, type McpServerConfig } from "./McpServerConfig.ts"

/** A tool as its server describes it, with a schema that can do no harm here. */
export interface McpListedTool {
  readonly name: string
  readonly description: string
  readonly inputSchema: JsonObject
  /** The schema as it came. */
  readonly listedSchema: JsonObject
  readonly readOnly: boolean
  readonly idempotent: boolean
}

export interface McpListedResource {
  /** Of a template, with what is to be filled in. */
  readonly uri: string
  readonly name: string
  readonly description: string
  readonly mediaType: string | null
}

export interface McpListedPrompt {
  readonly name: string
  readonly description: string
  readonly arguments: ReadonlyArray<{ readonly name: string; readonly required: boolean }>
}

/** What a server has for a turn. Resources and prompts are listed when somebody wants to see them. */
export interface McpListing {
  readonly tools: ReadonlyArray<McpListedTool>
  readonly hasResources: boolean
  readonly hasPrompts: boolean
  readonly problems: ReadonlyArray<ToolProblem>
}

const Text = Schema.String
const ListedTool = Schema.Struct({
  name: Text.check(Schema.isPattern(/^[^\p{Cc}]{1,255}$/u)),
  title: Schema.optionalKey(Text),
  description: Schema.optionalKey(Text),
  inputSchema: Schema.Record(Text, Schema.Json),
  annotations: Schema.optionalKey(
    Schema.Struct({
      readOnlyHint: Schema.optionalKey(Schema.Boolean),
      idempotentHint: Schema.optionalKey(Schema.Boolean)
    })
  )
})
const described = { name: Text, description: Schema.optionalKey(Text) }
const ListedResource = Schema.Struct({
  ...described,
  uri: Schema.optionalKey(Text),
  uriTemplate: Schema.optionalKey(Text),
  mimeType: Schema.optionalKey(Text)
})
const ListedPrompt = Schema.Struct({
  ...described,
  arguments: Schema.optionalKey(
    Schema.Array(Schema.Struct({ name: Text, required: Schema.optionalKey(Schema.Boolean) }))
  )
})
const Page = Schema.Struct({
  nextCursor: Schema.optionalKey(Schema.NullOr(Text)),
  tools: Schema.optionalKey(Schema.Array(Schema.Unknown)),
  resources: Schema.optionalKey(Schema.Array(Schema.Unknown)),
  resourceTemplates: Schema.optionalKey(Schema.Array(Schema.Unknown)),
  prompts: Schema.optionalKey(Schema.Array(Schema.Unknown))
})
type Kind = Exclude<keyof typeof Page.Type, "nextCursor">

const methods = {
  tools: "tools/list",
  resources: "resources/list",
  resourceTemplates: "resources/templates/list",
  prompts: "prompts/list"
} as const satisfies Record<Kind, string>

/** Read by us, entry by entry: one that is wrong takes itself away, and not all the others. */
const page = Schema.toStandardSchemaV1(Page)

/** All pages of one kind, up to a bound; whether there was more. */
const pages = Effect.fnUntraced(function* ({ client, error }: McpConnection, kind: Kind, max: number) {
  const found: Array<unknown> = []
  let cursor: string | undefined
  for (let count = 0; count < mcpLimits.listPagesMax && found.length <= max; count++) {
    const params = cursor === undefined ? {} : { cursor }
    const given = yield* Effect.tryPromise({
      try: (signal) =>
        client.request({ method: methods[kind], params }, page, { signal, timeout: mcpLimits.connectMs }),
      catch: error
    })
    found.push(...(given[kind] ?? []))
    // A cursor that stays the same leads nowhere.
    if (given.nextCursor == null || given.nextCursor === cursor) break
    cursor = given.nextCursor
  }
  return { found: found.slice(0, max), isCut: found.length > max }
})

/** The tools of a server. What is wrong with them, or too much, is left out and told. */
export const listTools = Effect.fnUntraced(function* (
  connection: McpConnection,
  config: McpServerConfig
): Effect.fn.Return<McpListing, McpError> {
  const { prompts, resources, tools } = connection.client.getServerCapabilities() ?? {}
  const problems: Array<ToolProblem> = []
  const has = { hasResources: resources !== undefined, hasPrompts: prompts !== undefined, problems }
  if (tools === undefined) return { tools: [], ...has }
  const { found, isCut } = yield* pages(connection, "tools", listedMax)
  if (isCut) {
    const detail = `it has more than ${listedMax} tools; the rest is left out`
    problems.push({ at: config.name, code: "too_many", detail })
  }
  const usable = found.flatMap((raw) => toolOf(raw, config, problems))
  return { tools: withoutDoubles(usable, config, problems), ...has }
})

export const listResources = Effect.fnUntraced(function* (connection: McpConnection) {
  const { found } = yield* pages(connection, "resources", listedMax)
  // Servers that have resources need not know templates.
  const templates = yield* pages(connection, "resourceTemplates", listedMax).pipe(
    Effect.catchIf(
      ({ reason }) => reason === "protocol",
      () => Effect.succeed({ found: [] })
    )
  )
  return [...found, ...templates.found].flatMap(resourceOf)
})

export const listPrompts = (connection: McpConnection) =>
  Effect.map(pages(connection, "prompts", listedMax), ({ found }) => found.flatMap(promptOf))

/** More than an attempt may have, since a toolset may leave some out. */
const listedMax = 1_024

const isTool = Schema.is(ListedTool)
const isResource = Schema.is(ListedResource)
const isPrompt = Schema.is(ListedPrompt)

const toolOf = (raw: unknown, config: McpServerConfig, problems: Array<ToolProblem>): ReadonlyArray<McpListedTool> => {
  if (!isTool(raw)) {
    const { name } = (raw ?? {}) as { readonly name?: unknown }
    const called = typeof name === "string" ? ` ${JSON.stringify(name.slice(0, 100))}` : ""
    problems.push({ at: config.name, code: "invalid", detail: `its tool${called} is not described as MCP wants it` })
    return []
  }
  const { annotations = {}, name, title } = raw
  if (!isAllowed(config, name)) return []
  const schema = harmlessSchema(raw.inputSchema)
  if (typeof schema === "string") {
    problems.push({ at: config.name, code: "invalid", detail: `the schema of its tool ${name} ${schema}` })
    return []
  }
  return [
    {
      name,
      description: shortened(raw.description ?? title ?? ""),
      inputSchema: schema,
      listedSchema: raw.inputSchema,
      readOnly: config.trustAnnotations && annotations.readOnlyHint === true,
      idempotent: config.trustAnnotations && (annotations.idempotentHint === true || annotations.readOnlyHint === true)
    }
  ]
}

const withoutDoubles = (tools: ReadonlyArray<McpListedTool>, config: McpServerConfig, problems: Array<ToolProblem>) => {
  const kept = new Map<string, McpListedTool>()
  for (const tool of tools) {
    const { name } = tool
    if (kept.has(name)) problems.push({ at: config.name, code: "duplicate", detail: `it lists the tool ${name} twice` })
    else kept.set(name, tool)
  }
  return [...kept.values()]
}

const resourceOf = (raw: unknown): ReadonlyArray<McpListedResource> => {
  if (!isResource(raw)) return []
  const uri = raw.uri ?? raw.uriTemplate
  if (uri === undefined) return []
  const { description = "", mimeType = null, name } = raw
  return [{ uri, name, description: shortened(description), mediaType: mimeType }]
}

const promptOf = (raw: unknown): ReadonlyArray<McpListedPrompt> => {
  if (!isPrompt(raw)) return []
  const { arguments: given = [], description = "", name } = raw
  const named = given.map((one) => ({ name: one.name, required: one.required === true }))
  return [{ name, description: shortened(description), arguments: named }]
}

const shortened = (text: string): string =>
  text.slice(0, mcpLimits.descriptionLengthMax).replaceAll("\0", "\ufffd").toWellFormed()
