import { Effect, Redacted } from "effect"
import OpenAI, { AzureOpenAI } from "openai"
import type { Asked, ModelClient, ModelProbe, ModelRequest } from "../ModelClient.ts"
import { sdkStream } from "../sdkStream.ts"
import * as ChatAnswer from "./chatAnswer.ts"
import { toMessages } from "./chatMessages.ts"
import { type Dispensing, dispensing } from "./dispensing.ts"
import * as ResponsesAnswer from "./responsesAnswer.ts"
import { toInputs } from "./responsesInput.ts"
import { wantsShortIds, withShortIds } from "./shortIds.ts"

export interface OpenAiOptions {
  readonly provider: string
  /** Null where the server asks for none. */
  readonly apiKey: Redacted.Redacted | null
  readonly baseUrl: string | null
  readonly headers: Readonly<Record<string, string>>
  readonly silenceMs: number
  readonly azure?: {
    readonly endpoint: string
    readonly apiVersion: string
    /** A token of Azure's directory instead of a key, fetched anew when it has run out. */
    readonly token: (() => Promise<string>) | null
  }
}

const facts = { contextTokens: 128_000, outputTokens: 16_384 }

const clientOf = ({ apiKey, azure, baseUrl, headers, silenceMs }: OpenAiOptions): OpenAI => {
  const common = { defaultHeaders: headers, maxRetries: 0, timeout: silenceMs, logLevel: "off" } as const
  const key = apiKey === null ? "none" : Redacted.value(apiKey)
  if (azure === undefined) {
    return new OpenAI({ ...common, apiKey: key, ...(baseUrl === null ? {} : { baseURL: baseUrl }) })
  }
  const { apiVersion, endpoint, token } = azure
  const identity = token === null ? { apiKey: key } : { azureADTokenProvider: token }
  return new AzureOpenAI({ ...common, ...identity, endpoint, apiVersion })
}

const instructionsOf = ({ instructions }: ModelRequest) =>
  instructions
    .map(({ text }) => text)
    .filter((text) => text !== "")
    .join("\n\n")

const probe = (client: OpenAI): Effect.Effect<ModelProbe> =>
  Effect.tryPromise((signal) => client.models.list({ signal })).pipe(
    Effect.map((page) => ({ usable: true, notes: [], models: page.data.map(({ id }) => id) })),
    Effect.catch(({ cause }) =>
      Effect.succeed({
        // An endpoint without a list may serve models all the same.
        usable: (cause as { status?: number }).status === 404,
        notes: [cause instanceof Error ? cause.message.slice(0, 200) : String(cause)],
        models: []
      })
    )
  )

/** Some models take no temperature, and take an effort instead. A gateway's name for them has their maker before it. */
const reasons = (model: string) => /^(?:.*\/)?(?:o\d|gpt-[5-9])/.test(model)
/** Those of which it is known that they refuse a request with an effort. Servers of other models pass by what they don't know. */
const refusesEffort = (model: string) => /^(?:.*\/)?(?:gpt-[34]|chatgpt-)/.test(model)

type Effort = "low" | "medium" | "high"

/** What a higher speed is called here. The answer says whether it was had. */
const tierOf = ({ speed }: ModelRequest["settings"]) =>
  speed === "fast" ? ({ service_tier: "priority" } as const) : {}

/** What the agent says of its model, and this model is not asked. */
const leavesOut =
  (takesEffort: (model: string) => boolean, { refuses }: Dispensing) =>
  ({ model, settings: { effort, temperature } }: Asked): ReadonlyArray<string> => {
    const hasNoEffort = !takesEffort(model) || refuses(model, "reasoning_effort")
    const hasNoTemperature = reasons(model) || refuses(model, "temperature")
    return [
      ...(effort !== undefined && hasNoEffort ? [`${model} takes no effort`] : []),
      ...(temperature !== undefined && hasNoTemperature ? [`${model} takes no temperature`] : [])
    ]
  }

const responsesParams = (request: ModelRequest, provider: string): OpenAI.Responses.ResponseCreateParamsStreaming => {
  const { cacheKey, history, model, settings, tools } = request
  const { effort, maxTokens, output, temperature, toolChoice } = settings
  const reasoning = reasons(model)
  return {
    model,
    stream: true,
    // Nothing of a conversation stays with the provider: the log has it, and thinking comes back sealed.
    store: false,
    include: reasoning ? ["reasoning.encrypted_content"] : [],
    instructions: instructionsOf(request),
    input: toInputs(history, { provider, reasons: reasoning }),
    tools: tools.map(({ description, inputSchema, name }) => ({
      type: "function",
      name,
      description,
      parameters: inputSchema,
      strict: false
    })),
    parallel_tool_calls: true,
    ...(toolChoice === undefined || tools.length === 0 ? {} : { tool_choice: toolChoice }),
    prompt_cache_key: cacheKey,
    ...(reasoning ? { reasoning: { effort: (effort ?? "medium") as Effort, summary: "auto" } } : {}),
    ...(maxTokens === undefined ? {} : { max_output_tokens: maxTokens }),
    ...(temperature === undefined || reasoning ? {} : { temperature }),
    ...tierOf(settings),
    ...(output === undefined
      ? {}
      : { text: { format: { type: "json_schema", name: output.name, schema: output.schema, strict: true } } })
  }
}

const chatParams = (request: ModelRequest): OpenAI.ChatCompletionCreateParamsStreaming => {
  const { history, model, settings, tools } = request
  const { effort, maxTokens, output, temperature, toolChoice } = settings
  const reasoning = reasons(model)
  const params: OpenAI.ChatCompletionCreateParamsStreaming = {
    model,
    stream: true,
    stream_options: { include_usage: true },
    messages: toMessages(instructionsOf(request), history),
    ...(tools.length === 0
      ? {}
      : {
          tools: tools.map(({ description, inputSchema, name }) => ({
            type: "function",
            function: { name, description, parameters: inputSchema }
          })),
          ...(toolChoice === undefined ? {} : { tool_choice: toolChoice })
        }),
    ...(maxTokens === undefined ? {} : reasoning ? { max_completion_tokens: maxTokens } : { max_tokens: maxTokens }),
    ...(temperature === undefined || reasoning ? {} : { temperature }),
    ...(effort === undefined || refusesEffort(model) ? {} : { reasoning_effort: effort as Effort }),
    ...tierOf(settings),
    ...(output === undefined
      ? {}
      : {
          response_format: {
            type: "json_schema",
            json_schema: { name: output.name, schema: output.schema, strict: true }
          }
        })
  }
  return wantsShortIds(model) ? (withShortIds(params) ?? params) : params
}

/** Models behind OpenAI's Responses, its own and Azure's. */
export const makeResponses = (options: OpenAiOptions): ModelClient => {
  const { provider, silenceMs } = options
  const client = clientOf(options)
  const asked = dispensing()
  return {
    provider,
    probe: probe(client),
    facts: () => ({ ...facts, toolsMax: 128 }),
    leavesOut: leavesOut(reasons, asked),
    body: (request) => asked.shaped(responsesParams(request, provider)),
    stream: (request) =>
      sdkStream({
        provider,
        model: request.model,
        silenceMs,
        open: (signal) =>
          asked.ask(responsesParams(request, provider), (params) => client.responses.create(params, { signal })),
        read: ResponsesAnswer.make(provider, request.model)
      })
  }
}

/** Models behind Chat Completions: what most servers of open models and most gateways speak. */
export const makeChat = (options: OpenAiOptions): ModelClient => {
  const { provider, silenceMs } = options
  const client = clientOf(options)
  const asked = dispensing()
  return {
    provider,
    probe: probe(client),
    facts: () => facts,
    leavesOut: leavesOut((model) => !refusesEffort(model), asked),
    body: (request) => asked.shaped(chatParams(request)),
    stream: (request) => {
      const answer = ChatAnswer.make()
      return sdkStream({
        provider,
        model: request.model,
        silenceMs,
        open: (signal) =>
          asked.ask(chatParams(request), (params) => client.chat.completions.create(params, { signal })),
        read: answer.read,
        end: answer.end
      })
    }
  }
}
