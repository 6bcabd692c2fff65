import Anthropic from "@anthropic-ai/sdk"
import { Effect, Redacted } from "effect"
import type { Asked, ModelClient, ModelRequest } from "../ModelClient.ts"
import { sdkStream } from "../sdkStream.ts"
import { abilitiesOf } from "./abilities.ts"
import * as Answer from "./answer.ts"
import { toMessages } from "./messages.ts"

export interface AnthropicOptions {
  readonly provider: string
  readonly apiKey: Redacted.Redacted
  readonly baseUrl: string | null
  readonly headers: Readonly<Record<string, string>>
  readonly silenceMs: number
  /** The longest answer of a model, where that is configured. */
  readonly outputTokens?: (model: string) => number | undefined
}

type Params = Anthropic.MessageCreateParamsStreaming

const cached: Anthropic.CacheControlEphemeral = { type: "ephemeral" }
/** For models that take no effort: how many tokens they may think for, out of those that an answer may have. */
const thoughts: Readonly<Record<string, number>> = {
  low: 2_048,
  medium: 8_192,
  high: 16_384,
  xhigh: 24_576,
  max: 24_576
}
const thoughtsMin = 1_024

/** How the model is asked to think, where an effort is named. */
const thinkingOf = ({ model, settings }: Asked, maxTokens: number): Anthropic.ThinkingConfigParam | null => {
  const { effort } = settings
  const most = thoughts[effort ?? "none"]
  const { thinking } = abilitiesOf(model)
  if (most === undefined || thinking === "none") return null
  if (thinking === "adaptive") return { type: "adaptive", display: "summarized" }
  const budget = Math.min(most, Math.floor(maxTokens * 0.75))
  return budget < thoughtsMin ? null : { type: "enabled", budget_tokens: budget }
}

/** What the agent says of its model, and this model is not asked. */
const leavesOut = (asked: Asked, outputTokens: number): ReadonlyArray<string> => {
  const { model, settings } = asked
  const { effort, maxTokens = outputTokens, temperature } = settings
  const takes = abilitiesOf(model)
  const thinks = thinkingOf(asked, maxTokens) !== null
  const left: Array<string> = []
  if (effort !== undefined && !takes.effort && !thinks) left.push(`${model} takes no effort`)
  if (temperature === undefined) return left
  if (!takes.temperature) left.push(`${model} takes no temperature`)
  else if (thinks) left.push(`${model} takes no temperature beside an effort`)
  else if (temperature > 1) left.push(`${model} takes a temperature of 1 at most, and is asked with that`)
  return left
}

/** The header without which some models take no speed. */
const fastHeaders = { "anthropic-beta": "fast-mode-2026-02-01" }
const isFast = ({ model, settings }: ModelRequest) => settings.speed === "fast" && abilitiesOf(model).fast

const last = <A>(items: Array<A>, change: (item: A) => A): Array<A> =>
  items.map((item, index) => (index === items.length - 1 ? change(item) : item))

/** A request in this provider's format. What stays the same from request to request comes first and is marked for its cache. */
const toParams = (request: ModelRequest, outputTokens: number): Params => {
  const { history, instructions, model, settings, tools } = request
  const system = instructions
    .filter(({ text }) => text !== "")
    .map(({ text }): Anthropic.TextBlockParam => ({ type: "text", text }))
  const catalog = tools.map(({ description, inputSchema, name }): Anthropic.Tool => ({
    name,
    description,
    input_schema: inputSchema as Anthropic.Tool.InputSchema
  }))
  const { effort, maxTokens = outputTokens, output, temperature, toolChoice } = settings
  const takes = abilitiesOf(model)
  const thinking = thinkingOf(request, maxTokens)
  const outputConfig: Anthropic.OutputConfig = {
    ...(effort !== undefined && effort in thoughts && takes.effort ? { effort: effort as "low" } : {}),
    ...(output === undefined ? {} : { format: { type: "json_schema", schema: output.schema } })
  }
  return {
    model,
    max_tokens: maxTokens,
    stream: true,
    messages: toMessages(history),
    ...(system.length === 0 ? {} : { system: last(system, (block) => ({ ...block, cache_control: cached })) }),
    ...(catalog.length === 0 ? {} : { tools: last(catalog, (tool) => ({ ...tool, cache_control: cached })) }),
    ...(toolChoice === undefined || catalog.length === 0 ? {} : { tool_choice: { type: toolChoice } }),
    // It takes none beside thinking, and none above one.
    ...(temperature === undefined || thinking !== null || !takes.temperature
      ? {}
      : { temperature: Math.min(1, temperature) }),
    ...(thinking === null ? {} : { thinking }),
    ...(isFast(request) ? { speed: "fast" } : {}),
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
  const longest = (model: string) => options.outputTokens?.(model) ?? abilitiesOf(model).outputTokens
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
    facts: (model) => ({ contextTokens: 200_000, outputTokens: longest(model) }),
    leavesOut: (asked) => leavesOut(asked, longest(asked.model)),
    body: (request) => toParams(request, longest(request.model)),
    stream: (request) =>
      sdkStream({
        provider,
        model: request.model,
        silenceMs,
        open: (signal) =>
          client.messages.create(toParams(request, longest(request.model)), {
            signal,
            ...(isFast(request) ? { headers: fastHeaders } : {})
          }),
        read: Answer.make()
      })
  }
}
