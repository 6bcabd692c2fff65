import type Anthropic from "@anthropic-ai/sdk"
import type { Json, JsonObject } from "@troupe/domain/Json"
import type { MeasuredUsage, ModelEvent, ModelStop } from "../ModelClient.ts"

interface OpenBlock {
  readonly block: Anthropic.RawContentBlockStartEvent["content_block"]
  text: string
  signature: string
}

/** What the first event says of usage, and what later ones add. */
type Counts = Pick<
  Anthropic.MessageDeltaUsage,
  "input_tokens" | "output_tokens" | "cache_read_input_tokens" | "cache_creation_input_tokens"
> & {
  readonly cache_creation?: Anthropic.CacheCreation | null
  readonly server_tool_use?: Anthropic.ServerToolUsage | null
  readonly speed?: "standard" | "fast" | null
}

const stops: Partial<Record<Anthropic.StopReason, ModelStop>> = {
  tool_use: "tool_calls",
  max_tokens: "max_tokens",
  model_context_window_exceeded: "max_tokens",
  refusal: "refusal"
}

const opaque = (block: object): Json => ({ provider: "anthropic", block }) as unknown as Json

/** Servers that only speak like this provider need not say it. */
const refusalOf = (said: Anthropic.RefusalStopDetails | null | undefined): JsonObject | null =>
  said == null ? null : { category: said.category ?? null, explanation: said.explanation ?? null }

const closing = (index: number, { block, signature, text }: OpenBlock): ReadonlyArray<ModelEvent> => {
  switch (block.type) {
    case "text":
      return text === "" ? [] : [{ _tag: "Text", index, text }]
    case "thinking": {
      const signed = { type: "thinking", thinking: text, signature }
      return [{ _tag: "Thinking", index, text: text === "" ? null : text, opaque: opaque(signed) }]
    }
    case "redacted_thinking":
      return [{ _tag: "Thinking", index, text: null, opaque: opaque({ type: block.type, data: block.data }) }]
    case "tool_use":
      return [{ _tag: "ToolCall", index, providerCallId: block.id, name: block.name, input: text === "" ? "{}" : text }]
    default:
      return []
  }
}

/** Puts an answer together from what streams in. Fed each event in order, it says what that means. */
export const make = () => {
  const open = new Map<number, OpenBlock>()
  let usage: MeasuredUsage | null = null
  let stop: ModelStop = "end_turn"
  let details: JsonObject | null = null
  let isFast = false

  const count = (from: Counts) => {
    const before = usage
    isFast ||= from.speed === "fast"
    const hour = from.cache_creation?.ephemeral_1h_input_tokens ?? before?.cacheWrite1hTokens ?? 0
    const written = from.cache_creation_input_tokens ?? null
    usage = {
      inputTokens: from.input_tokens ?? before?.inputTokens ?? 0,
      outputTokens: from.output_tokens ?? before?.outputTokens ?? 0,
      cacheReadTokens: from.cache_read_input_tokens ?? before?.cacheReadTokens ?? 0,
      cacheWrite5mTokens: written === null ? (before?.cacheWrite5mTokens ?? 0) : Math.max(0, written - hour),
      cacheWrite1hTokens: hour,
      webSearches: from.server_tool_use?.web_search_requests ?? before?.webSearches ?? 0,
      webFetches: from.server_tool_use?.web_fetch_requests ?? before?.webFetches ?? 0
    }
  }

  const begun = (index: number, block: OpenBlock["block"]): ReadonlyArray<ModelEvent> => {
    open.set(index, { block, text: "", signature: "" })
    if (block.type === "text") return [{ _tag: "Begun", index, kind: "text" }]
    if (block.type === "tool_use") return [{ _tag: "Begun", index, kind: "tool_call" }]
    if (block.type === "thinking" || block.type === "redacted_thinking") {
      return [{ _tag: "Begun", index, kind: "thinking" }]
    }
    return []
  }

  const more = (index: number, delta: Anthropic.RawContentBlockDelta): ReadonlyArray<ModelEvent> => {
    const found = open.get(index)
    if (found === undefined) return []
    const text =
      delta.type === "text_delta"
        ? delta.text
        : delta.type === "thinking_delta"
          ? delta.thinking
          : delta.type === "input_json_delta"
            ? delta.partial_json
            : ""
    if (delta.type === "signature_delta") found.signature += delta.signature
    found.text += text
    return text === "" ? [] : [{ _tag: "Delta", index, text }]
  }

  return (event: Anthropic.RawMessageStreamEvent): ReadonlyArray<ModelEvent> => {
    switch (event.type) {
      case "message_start":
        count(event.message.usage)
        return []
      case "content_block_start":
        return begun(event.index, event.content_block)
      case "content_block_delta":
        return more(event.index, event.delta)
      case "content_block_stop": {
        const found = open.get(event.index)
        open.delete(event.index)
        return found === undefined ? [] : closing(event.index, found)
      }
      case "message_delta":
        count(event.usage)
        stop = stops[event.delta.stop_reason ?? "end_turn"] ?? "end_turn"
        details = refusalOf(event.delta.stop_details)
        return []
      case "message_stop":
        return [{ _tag: "Ended", stop, usage, ...(isFast ? { isFast } : {}), ...(details === null ? {} : { details }) }]
    }
  }
}
