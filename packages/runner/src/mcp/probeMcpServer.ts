import type { JsonObject } from "@troupe/domain/Json"
import type { McpListing, McpListedTool, McpProbed } from "@troupe/domain/runner/McpProbed"
import { Effect, Redacted, Result } from "effect"
import type { Outbound } from "../egress/Outbound.ts"
import type { TrustStore } from "../egress/TrustStore.ts"
import { Scrubber } from "../secrets/Scrubber.ts"
import { makeMcpServer } from "./McpServer.ts"
import { mcpServerConfigs } from "./McpServerConfig.ts"
import type * as Listed from "./McpListing.ts"
import { secretHeaders } from "./McpSecret.ts"

export interface ProbedServer {
  /** As an agent has it. */
  readonly server: JsonObject
  readonly secret: Redacted.Redacted | null
}

const withinMs = 12_000
/** All of an answer travels at once, beside what goes on. */
const charactersMax = 131_072
const descriptionMax = 400
const argumentsMax = 32
const argumentMax = 64
const problemsMax = 20

const failed = (detail: string): McpProbed => ({ outcome: "failed", detail })

/** What a server has, asked for by nobody's turn: nothing stays connected. */
export const probeMcpServer = Effect.fn("probeMcpServer")(function* ({
  secret,
  server
}: ProbedServer): Effect.fn.Return<McpProbed, never, Outbound | TrustStore> {
  const { problems, servers } = mcpServerConfigs([server])
  const [config] = servers
  if (config === undefined) return failed(problems[0]?.detail ?? "it can't be meant")
  if (config.type === "stdio") return failed("it runs inside of a session's sandbox")
  const value = secret === null ? null : Redacted.value(secret)
  const scrubber = scrubberOf(value)
  const asked = Effect.gen(function* () {
    const made = yield* makeMcpServer({
      config,
      exec: () => Effect.die("a server with an address starts nothing"),
      credentials: { secret: Effect.succeed(value), refresh: Effect.succeed(null) },
      scrub: (text) => scrubber.text(text)
    })
    return yield* made.list
  })
  const listed = yield* Effect.scoped(asked).pipe(Effect.timeoutOption(withinMs), Effect.result)
  if (Result.isFailure(listed)) {
    const { detail, reason } = listed.failure
    return { outcome: reason === "unauthorized" ? "unauthorized" : "failed", detail: scrubber.text(detail) }
  }
  if (listed.success._tag === "None") return failed(`no answer within ${withinMs} ms`)
  return { outcome: "listed", listing: scrubber.value(shown(listed.success.value)) }
})

/** What was sent is in no answer, whatever the server says back. */
const scrubberOf = (secret: string | null): Scrubber => {
  const scrubber = new Scrubber()
  for (const header of Object.values(secretHeaders(secret) ?? {})) {
    scrubber.add(header)
    scrubber.add(header.replace(/^\S+ /, ""))
  }
  return scrubber
}

const shown = ({ hasPrompts, hasResources, problems, tools }: Listed.McpListing): McpListing => {
  const kept: Array<McpListedTool> = []
  let characters = 0
  for (const tool of tools.map(toolShown)) {
    characters += JSON.stringify(tool).length
    if (characters > charactersMax) break
    kept.push(tool)
  }
  const left = tools.length - kept.length
  const told = problems.map(({ detail }) => detail)
  return {
    tools: kept,
    has_resources: hasResources,
    has_prompts: hasPrompts,
    problems: [...(left === 0 ? [] : [`${left} more tools are not shown here`]), ...told].slice(0, problemsMax)
  }
}

const toolShown = ({ description, inputSchema, name, readOnly }: Listed.McpListedTool): McpListedTool => {
  const { properties, required } = inputSchema
  const needed = new Set(Array.isArray(required) ? required : [])
  const named = typeof properties === "object" && properties !== null ? Object.keys(properties) : []
  return {
    name,
    description: description.slice(0, descriptionMax).toWellFormed(),
    arguments: named
      .slice(0, argumentsMax)
      .map((one) => ({ name: one.slice(0, argumentMax).toWellFormed(), required: needed.has(one) })),
    read_only: readOnly
  }
}
