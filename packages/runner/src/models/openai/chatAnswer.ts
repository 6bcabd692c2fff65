import type OpenAI from "openai"
import type { MeasuredUsage, ModelEvent, ModelStop } from "../ModelClient.ts"

const usageOf = (usage: OpenAI.CompletionUsage): MeasuredUsage => {
  const cached = usage.prompt_tokens_details?.cached_tokens ?? 0
  return {
    inputTokens: Math.max(0, usage.prompt_tokens - cached),
    outputTokens: usage.completion_tokens,
    cacheReadTokens: cached,
    cacheWrite5mTokens: 0,
    cacheWrite1hTokens: 0,
    webSearches: 0,
    webFetches: 0
  }
}

interface OpenCall {
  id: string
  name: string
  input: string
}

const stops: Readonly<Record<string, ModelStop>> = {
  tool_calls: "tool_calls",
  function_call: "tool_calls",
  length: "max_tokens",
  content_filter: "refusal"
}

/** Where thinking stands among the blocks of an answer, where text does, and where calls begin. */
const [thinkingAt, textAt, callsAt] = [0, 1, 2]

/**
 * Puts an answer together from what streams in. Servers differ: usage comes with the last choice or after it, ids of calls
 * once or with every piece, and some never say `[DONE]`: an answer has ended once it gave a reason and the stream is over.
 */
export const make = () => {
  let text = ""
  let thinking = ""
  let usage: MeasuredUsage | null = null
  let reason: string | null = null
  let refused = false
  let isFast = false
  const calls = new Map<number, OpenCall>()

  const piece = (index: number, kind: "text" | "thinking", before: string, delta: string): Array<ModelEvent> => [
    ...(before === "" ? [{ _tag: "Begun", index, kind } as const] : []),
    { _tag: "Delta", index, text: delta }
  ]

  const callPiece = (delta: OpenAI.ChatCompletionChunk.Choice.Delta.ToolCall): Array<ModelEvent> => {
    const index = callsAt + delta.index
    const found = calls.get(delta.index)
    const call = found ?? { id: "", name: "", input: "" }
    calls.set(delta.index, call)
    if (delta.id !== undefined && call.id === "") call.id = delta.id
    if (delta.function?.name !== undefined && call.name === "") call.name = delta.function.name
    const more = delta.function?.arguments ?? ""
    call.input += more
    return [
      ...(found === undefined ? [{ _tag: "Begun", index, kind: "tool_call" } as const] : []),
      ...(more === "" ? [] : [{ _tag: "Delta", index, text: more } as const])
    ]
  }

  const read = (chunk: OpenAI.ChatCompletionChunk): ReadonlyArray<ModelEvent> => {
    const events: Array<ModelEvent> = []
    isFast ||= chunk.service_tier === "priority"
    if (chunk.usage !== undefined && chunk.usage !== null) usage = usageOf(chunk.usage)
    for (const { delta, finish_reason: finish } of chunk.choices ?? []) {
      // Not in the standard, and what servers of open models do.
      const { reasoning_content: thought } = delta as { readonly reasoning_content?: string | null }
      if (typeof thought === "string" && thought !== "") {
        events.push(...piece(thinkingAt, "thinking", thinking, thought))
        thinking += thought
      }
      refused ||= typeof delta.refusal === "string" && delta.refusal !== ""
      const said = delta.content ?? delta.refusal ?? ""
      if (said !== "") {
        events.push(...piece(textAt, "text", text, said))
        text += said
      }
      for (const call of delta.tool_calls ?? []) events.push(...callPiece(call))
      if (finish !== null && finish !== undefined) reason = finish
    }
    return events
  }

  /** What is left to say when the stream is over; null where it broke off. */
  const end = (): ReadonlyArray<ModelEvent> | null => {
    if (reason === null) return null
    const events: Array<ModelEvent> = []
    if (thinking !== "") events.push({ _tag: "Thinking", index: thinkingAt, text: thinking, opaque: null })
    if (text !== "") events.push({ _tag: "Text", index: textAt, text })
    for (const [at, { id, input, name }] of [...calls].toSorted(([a], [b]) => a - b)) {
      const providerCallId = id === "" ? `call_${at}` : id
      events.push({ _tag: "ToolCall", index: callsAt + at, providerCallId, name, input: input === "" ? "{}" : input })
    }
    const stop = refused
      ? "refusal"
      : calls.size > 0 && reason === "stop"
        ? "tool_calls"
        : (stops[reason] ?? "end_turn")
    return [...events, { _tag: "Ended", stop, usage, ...(isFast ? { isFast } : {}) }]
  }

  return { read, end }
}
