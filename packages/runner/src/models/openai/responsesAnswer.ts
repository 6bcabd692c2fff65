import type { Json } from "@troupe/domain/Json"
import type { Responses } from "openai/resources/responses/responses"
import type { MeasuredUsage, ModelError, ModelEvent, ModelStop } from "../ModelClient.ts"
import { fromSdk } from "../sdkErrors.ts"

const usageOf = (usage: Responses.ResponseUsage | undefined, searches: number): MeasuredUsage | null => {
  if (usage === undefined || usage === null) return null
  const cached = usage.input_tokens_details?.cached_tokens ?? 0
  return {
    inputTokens: Math.max(0, usage.input_tokens - cached),
    outputTokens: usage.output_tokens,
    cacheReadTokens: cached,
    cacheWrite5mTokens: 0,
    cacheWrite1hTokens: 0,
    webSearches: searches,
    webFetches: 0
  }
}

const kept = (by: string, item: object): Json => ({ provider: "openai", by, item }) as unknown as Json

/** Puts an answer together from what streams in. */
export const make = (provider: string, model: string) => {
  let refused = false
  let called = false

  const done = (index: number, item: Responses.ResponseOutputItem): ReadonlyArray<ModelEvent> => {
    switch (item.type) {
      case "message": {
        const text = item.content.map((part) => (part.type === "output_text" ? part.text : part.refusal)).join("")
        refused ||= item.content.some((part) => part.type === "refusal")
        return text === "" ? [] : [{ _tag: "Text", index, text }]
      }
      case "reasoning": {
        const text = item.summary.map((part) => part.text).join("\n\n")
        return [{ _tag: "Thinking", index, text: text === "" ? null : text, opaque: kept(provider, item) }]
      }
      case "function_call": {
        called = true
        const { arguments: input, call_id: providerCallId, name } = item
        return [{ _tag: "ToolCall", index, providerCallId, name, input: input === "" ? "{}" : input }]
      }
      default:
        return []
    }
  }

  const ended = (response: Responses.Response): ReadonlyArray<ModelEvent> => {
    const reason = response.incomplete_details?.reason
    const stop: ModelStop =
      refused || reason === "content_filter"
        ? "refusal"
        : reason === "max_output_tokens"
          ? "max_tokens"
          : called
            ? "tool_calls"
            : "end_turn"
    const isFast = response.service_tier === "priority"
    return [{ _tag: "Ended", stop, usage: usageOf(response.usage, 0), ...(isFast ? { isFast } : {}) }]
  }

  const failed = (code: string | null, message: string): ModelError =>
    fromSdk(provider, model, Object.assign(new Error(message), { code }), 0)

  return (event: Responses.ResponseStreamEvent): ReadonlyArray<ModelEvent> => {
    switch (event.type) {
      case "response.output_item.added": {
        const { type } = event.item
        const kind = type === "message" ? "text" : type === "reasoning" ? "thinking" : "tool_call"
        const ours = type === "message" || type === "reasoning" || type === "function_call"
        return ours ? [{ _tag: "Begun", index: event.output_index, kind }] : []
      }
      case "response.output_text.delta":
      case "response.refusal.delta":
      case "response.reasoning_summary_text.delta":
      case "response.function_call_arguments.delta":
        return [{ _tag: "Delta", index: event.output_index, text: event.delta }]
      case "response.output_item.done":
        return done(event.output_index, event.item)
      case "response.completed":
      case "response.incomplete":
        return ended(event.response)
      case "response.failed":
        throw failed(event.response.error?.code ?? null, event.response.error?.message ?? "the response failed")
      case "error":
        throw failed(event.code, event.message)
      default:
        return []
    }
  }
}
