import Anthropic from "@anthropic-ai/sdk"
import { Effect, Redacted } from "effect"
import type { ModelClient, ModelRequest } from "../ModelClient.ts"
import { sdkStream } from "../sdkStream.ts"
import * as Answer from "./answer.ts"
import { toMessages } from "./messages.ts"

export interface AnthropicOptions {
  readonly provider: string
  readonly apiKey: Redacted.Redacted
  readonly baseUrl: string | null
  readonly headers: Readonly<Record<string, string>>
  readonly silenceMs: number
}

type Params = Anthropic.MessageCreateParamsStreaming

const cached: Anthropic.CacheControlEphemeral = { type: "ephemeral" }
const outputTokens = 32_000

const efforts: ReadonlySet<string> = new Set(["low", "medium", "high", "xhigh", "max"])

/** Models from the fourth generation on think as much as the effort says; older ones are asked for an answer only. */
const thinks = (model: string) => !/^claude-(2|3|instant)/.test(model)

const last = <A>(items: Array<A>, change: (item: A) => A): Array<A> =>
  items.map((item, index) => (index === items.length - 1 ? change(item) : item))

/** A request in this provider's format. What stays the same from request to request comes first and is marked for its cache. */
export const toParams = (request: ModelRequest): Params => {
  const { history, instructions, model, settings, tools } = request
  const system = instructions
    .filter(({ text }) => text !== "")
    .map(({ text }): Anthropic.TextBlockParam => ({ type: "text", text }))
  const catalog = tools.map(({ description, inputSchema, name }): Anthropic.Tool => ({
    name,
    description,
    input_schema: inputSchema as Anthropic.Tool.InputSchema
  }))
  const { effort, maxTokens, output, speed, temperature } = settings
  const outputConfig: Anthropic.OutputConfig = {
    ...(effort !== undefined && efforts.has(effort) ? { effort: effort as "low" } : {}),
    ...(output === undefined ? {} : { format: { type: "json_schema", schema: output.schema } })
  }
  return {
    model,
    max_tokens: maxTokens ?? outputTokens,
    stream: true,
    messages: toMessages(history),
    ...(system.length === 0 ? {} : { system: last(system, (block) => ({ ...block, cache_control: cached })) }),
    ...(catalog.length === 0 ? {} : { tools: last(catalog, (tool) => ({ ...tool, cache_control: cached })) }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(effort !== undefined && effort !== "none" && thinks(model)
      ? { thinking: { type: "adaptive", display: "summarized" } }
      : {}),
    ...(speed === "fast" ? { speed: "fast" } : {}),
    ...(Object.keys(outputConfig).length === 0 ? {} : { output_config: outputConfig })
  }
}

/** Models behind Anthropic's Messages, natively: thinking comes back signed, and long conversations stay in the cache. */
export const make = (options: AnthropicOptions): ModelClient => {
  const { apiKey, baseUrl, headers, provider, silenceMs } = options
  const client = new Anthropic({
    apiKey: Redacted.value(apiKey),
    authToken: null,
    baseURL: baseUrl,
    defaultHeaders: headers,
    maxRetries: 0,
    timeout: silenceMs,
    logLevel: "off"
  })
  return {
    provider,
    probe: Effect.tryPromise((signal) => client.models.list({ limit: 100 }, { signal })).pipe(
      Effect.map((page) => ({ usable: true, notes: [], models: page.data.map(({ id }) => id) })),
      Effect.catch(({ cause }) =>
        Effect.succeed({
          // An endpoint without a list may serve models all the same.
          usable: (cause as { status?: number }).status === 404,
          notes: [cause instanceof Error ? cause.message.slice(0, 200) : String(cause)],
          models: []
        })
      )
    ),
    facts: () => ({ contextTokens: 200_000, outputTokens }),
    stream: (request) =>
      sdkStream({
        provider,
        model: request.model,
        silenceMs,
        open: (signal) => client.messages.create(toParams(request), { signal }),
        read: Answer.make()
      })
  }
}
