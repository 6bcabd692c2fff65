import type { RunRequest } from "@troupe/domain/runner/Attempt"
import type { PlanStep } from "@troupe/domain/session/Plan"
import { toolEntries, type ToolEntry, type ToolProblem, toolsMax } from "@troupe/domain/tools/Toolset"
import type { Effect } from "effect"
import type { SafeFetch } from "../egress/SafeFetch.ts"
import { bash } from "./builtin/bash.ts"
import { toTool } from "./builtin/BuiltIn.ts"
import { edit } from "./builtin/edit.ts"
import { glob } from "./builtin/glob.ts"
import { grep } from "./builtin/grep.ts"
import { read } from "./builtin/read.ts"
import { type Summarizer, webFetch } from "./builtin/webFetch.ts"
import { webSearch } from "./builtin/webSearch.ts"
import { write } from "./builtin/write.ts"
import { askUser } from "./platform/askUser.ts"
import { updatePlan } from "./platform/updatePlan.ts"
import { byWorker, outside, type Tool } from "./Tool.ts"
import type { ToolPlace } from "./ToolPlace.ts"
import type { SearchProvider } from "./web/SearchProvider.ts"

/** What tools are made of. What is null takes its tool away. */
export interface ToolParts {
  readonly place: ToolPlace
  readonly fetch: SafeFetch["Service"]
  readonly search: SearchProvider | null
  readonly summarizer: Summarizer | null
  /** Takes the plan of the attempt's thread, to tell people. */
  readonly planned: (steps: ReadonlyArray<PlanStep>) => Effect.Effect<void>
  /** Of MCP servers, of the platform: what others bring. */
  readonly others: ReadonlyArray<Tool>
}

export interface ToolCatalog {
  readonly tools: ReadonlyArray<Tool>
  readonly problems: ReadonlyArray<ToolProblem>
}

/** The tools of an attempt, frozen: the agent's list, or what the turn has in its place. */
export const toolCatalog = (
  request: Pick<RunRequest, "agent" | "overrides" | "environment">,
  parts: ToolParts
): ToolCatalog => {
  const { entries, problems } = toolEntries(request.overrides.tools ?? request.agent.tools)
  const found = [...problems]
  const tools = new Map<string, Tool>()
  const elsewhere = request.environment?.config["selfHosted"] === true
  const own = entries.flatMap((entry) => toolOf(entry, parts) ?? [])
  const placed = own.map((tool) => (elsewhere && tool.executor === "sandbox" ? byWorker(tool) : tool))
  const candidates = [...placed, ...parts.others]
  for (const tool of candidates) {
    const { name, server } = tool.spec
    const from = server === null ? "" : ` of ${server}`
    if (tools.has(name))
      found.push({ at: name, code: "duplicate", detail: `the tool ${name}${from} has the name of another` })
    else if (tools.size >= toolsMax)
      found.push({ at: name, code: "too_many", detail: `an attempt has at most ${toolsMax} tools` })
    else tools.set(name, tool)
  }
  return { tools: [...tools.values()], problems: found }
}

const toolOf = (entry: ToolEntry, { fetch, place, planned, search, summarizer }: ToolParts): Tool | undefined => {
  switch (entry._tag) {
    case "Custom": {
      const { description, inputSchema, name } = entry
      const spec = { name, server: null, description, inputSchema, readOnly: false, idempotent: false }
      return outside("client", spec, { type: "always_allow" })
    }
    case "Platform":
      return entry.name === "ask_user" ? askUser(entry.config) : updatePlan(entry.config, planned)
    case "Mcp":
      return undefined
    case "BuiltIn":
      switch (entry.name) {
        case "bash":
          return toTool(bash(place), entry.config)
        case "read":
          return toTool(read(place), entry.config)
        case "write":
          return toTool(write(place), entry.config)
        case "edit":
          return toTool(edit(place), entry.config)
        case "glob":
          return toTool(glob(place), entry.config)
        case "grep":
          return toTool(grep(place), entry.config)
        case "web_fetch":
          return toTool(webFetch(place, fetch, summarizer), entry.config)
        case "web_search":
          return search === null ? undefined : toTool(webSearch(search), entry.config)
      }
  }
}
