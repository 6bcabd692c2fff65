import type { JsonObject } from "@troupe/domain/Json"
import type { RunRequest } from "@troupe/domain/runner/Attempt"
import { fileSpecOf, outputsPath } from "@troupe/domain/session/FileResource"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import type { ModelError, ModelFacts, ModelRequest } from "../../models/ModelClient.ts"
import type { ToolSpec } from "../../tools/ToolCalls.ts"
import type { HarnessEnd } from "../Harness.ts"
import type { Spending } from "../Spending.ts"

/** How a model is driven, in parts that can be replaced one by one. All of them are pure. */
export interface Strategies {
  /** The system prompt: named sections, what changes least first. */
  readonly prompt: (request: Omit<RunRequest, "secrets">) => ModelRequest["instructions"]
  /** Which tools the model is told of, and how. */
  readonly tools: (catalog: ReadonlyArray<ToolSpec>) => ModelRequest["tools"]
  /** Which part of the conversation a request carries. */
  readonly context: (history: ReadonlyArray<HistoryItem>, facts: ModelFacts) => ReadonlyArray<HistoryItem>
  /** The same for requests that begin alike: by it a provider finds again what it has kept of them. */
  readonly cacheKey: (request: Omit<RunRequest, "secrets">) => string
  /** Whether the conversation is to be summed up before the next request. */
  readonly isFull: (tokens: number, facts: ModelFacts) => boolean
  /** What the model is asked for when it sums up. */
  readonly summarize: string
  /** What becomes of an attempt whose model request went wrong. */
  readonly retry: (error: ModelError) => Extract<HarnessEnd, { readonly _tag: "Failed" }>
  /** How many requests a turn may make of models, where its agent does not say. */
  readonly stepsMax: number
  /** Why no further request is made. */
  readonly stop: (spending: Spending, stepsMax: number) => HarnessEnd | null
  readonly parallelCalls: number
}

/** Room that is left for what is said next, beside the answer itself. */
const fullShare = 0.8

const codes: Readonly<Record<Exclude<ModelError["trouble"]["_tag"], "Busy">, string>> = {
  Broken: "model_request_failed",
  TimedOut: "model_timeout",
  ContextTooLong: "context_too_long",
  Denied: "model_access_denied",
  Unpaid: "billing",
  UnknownModel: "model_unknown",
  Refused: "model_request_refused"
}

const codeOf = (trouble: ModelError["trouble"]): string =>
  trouble._tag === "Busy" ? (trouble.status === 429 ? "model_rate_limited" : "model_overloaded") : codes[trouble._tag]

/** What the model is told of the files that its session was given. */
const filesText = (resources: RunRequest["resources"]): string => {
  const files = resources.flatMap((resource) => fileSpecOf(resource) ?? [])
  const begun = files.some(({ unpack }) => unpack === true)
    ? "Your working directory began with the files of a directory of the user's, to be worked on."
    : ""
  const lines = files
    .filter(({ unpack }) => unpack !== true)
    .map(({ mount_path, size_bytes }) => `- ${mount_path} (${size_bytes} bytes)`)
  if (lines.length === 0) return begun
  return `${begun === "" ? "" : `${begun}\n`}You were given these files, which can't be changed:\n${lines.join("\n")}\nFiles that you leave in ${outputsPath} go to the user when you are done.`
}

export const defaults: Strategies = {
  prompt: ({ agent, resources }) => [
    { section: "agent", text: agent.system ?? "" },
    { section: "skills", text: "" },
    { section: "memory", text: "" },
    { section: "session", text: filesText(resources) }
  ],
  tools: (catalog) => catalog.map(({ description, inputSchema, name }) => ({ name, description, inputSchema })),
  context: (history) => history,
  cacheKey: ({ sessionId, threadId }) => `${sessionId}:${threadId}`,
  isFull: (tokens, { contextTokens, outputTokens }) =>
    tokens > Math.max(contextTokens * 0.25, Math.min(contextTokens * fullShare, contextTokens - outputTokens)),
  summarize:
    "Sum up this conversation for a colleague who takes over and sees nothing else of it. Say what was asked for, word for word where it matters; what was decided and why; what was done, with the names of files, commands and values; what came out, errors too; what is still open and what comes next. Leave out what no longer matters. Answer with the summary alone.",
  retry: (error) => {
    const { message, provider, model, trouble } = error
    const details: JsonObject = { provider, model, ...("status" in trouble ? { status: trouble.status } : {}) }
    return {
      _tag: "Failed",
      error: { code: codeOf(trouble), message, details },
      retryable: error.passes,
      retryAfterMs: trouble._tag === "Busy" ? trouble.retryAfterMs : null
    }
  },
  stepsMax: 500,
  stop: (spending, stepsMax) => {
    if (spending.isSpent) return { _tag: "Suspended", reason: "budget" }
    return spending.requests < stepsMax ? null : { _tag: "Completed", stop: "max_steps", details: { steps: stepsMax } }
  },
  parallelCalls: 8
}
