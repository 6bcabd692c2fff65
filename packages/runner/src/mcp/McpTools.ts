import type { ToolConfig, ToolProblem } from "@troupe/domain/tools/Toolset"
import { Effect, Result } from "effect"
import { say, type Tool } from "../tools/Tool.ts"
import { mcpLimits } from "./limits.ts"
import { resultContent } from "./mcpContent.ts"
import type { McpListedTool } from "./McpListing.ts"
import { failed, type McpOffer, type McpToolParts } from "./McpOffer.ts"
import { readingTools } from "./McpReading.ts"
import type { McpServer } from "./McpServer.ts"
import { mcpToolName } from "./mcpToolName.ts"

/** The tools of one server for an attempt, as the agent's toolset has them. */
export const mcpTools = (
  parts: McpToolParts
): { readonly tools: ReadonlyArray<Tool>; readonly problems: ReadonlyArray<ToolProblem> } => {
  const { listing, server, toolset } = parts
  const own = listing.tools.map((tool) => ofTool(parts, tool))
  const named = new Set(own.map(({ name }) => name))
  // What the server itself calls so comes first. Reading is there for those who ask for it by name.
  const reading = readingTools(parts).filter(({ name }) => !named.has(name))
  const wanted = reading.filter(({ name }) => Object.hasOwn(toolset.configs, name))
  const known = new Set([...named, ...reading.map(({ name }) => name)])
  const unknown = Object.keys(toolset.configs).filter((name) => !known.has(name))
  const problems = unknown.map((name): ToolProblem => ({
    at: server.config.name,
    code: "unknown_tool",
    detail: `it has no tool ${name}`
  }))
  const tools = [...own, ...wanted].flatMap((offer) => {
    const set = Object.hasOwn(toolset.configs, offer.name) ? toolset.configs[offer.name] : {}
    const config = { ...toolset.defaults, ...set }
    return config.enabled === false ? [] : [toTool(server, offer, config)]
  })
  return { tools, problems: [...listing.problems, ...problems] }
}

const toTool = ({ config: { name: server } }: McpServer, offer: McpOffer, config: ToolConfig): Tool => {
  const { description, idempotent, inputSchema, name, readOnly, run } = offer
  return {
    spec: { name: mcpToolName(server, name), ownName: name, server, description, inputSchema, readOnly, idempotent },
    executor: "mcp",
    policy: config.permission_policy,
    paths: [],
    scripts: [],
    // The server's own patience ends a call long before, unless there is progress or a person is asked.
    timeoutMs: () => mcpLimits.callMs,
    changes: () => null,
    run
  }
}

const ofTool = ({ people, place, server }: McpToolParts, tool: McpListedTool): McpOffer => {
  const { description, idempotent, inputSchema, listedSchema, name, readOnly } = tool
  const details = { server: server.config.name, tool: name }
  return {
    name,
    description,
    inputSchema,
    readOnly,
    idempotent,
    run: Effect.fnUntraced(function* (input, callId) {
      const asking = people(callId)
      const called = yield* Effect.result(server.call({ tool: name, input, inputSchema: listedSchema, people: asking }))
      if (Result.isFailure(called)) return yield* failed(called.failure, details)
      const content = yield* resultContent(place, called.success)
      const said = content.length === 0 ? say("[The tool answered without content.]").content : content
      return { content: said, details, ...(called.success.isError === true ? { outcome: "failed" as const } : {}) }
    })
  }
}
