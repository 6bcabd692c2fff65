import { type ChatCompletionRequest, type ChatMessage, type Fixture, LLMock } from "@copilotkit/aimock"
import type { EventId } from "@troupe/domain/Ids"
import type { Json } from "@troupe/domain/Json"
import { text } from "@troupe/domain/session/Content"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import { Effect, Result, Stream } from "effect"
import * as DemoModel from "../../src/models/demo/DemoModel.ts"
import type { ModelEvent } from "../../src/models/ModelClient.ts"

const summed = "Summary of the conversation so far:\n"

const wordsOf = ({ content }: ChatMessage): string =>
  typeof content === "string" ? content : (content ?? []).map((part) => part.text ?? "").join("")

/** A message of Chat Completions, as what it adds to a conversation. */
export const itemsOf = (message: ChatMessage): ReadonlyArray<HistoryItem> => {
  const said = wordsOf(message)
  const { role, tool_call_id, tool_calls = [] } = message
  switch (role) {
    case "user":
      return said.startsWith(summed)
        ? [{ type: "summary", content: text(said.slice(summed.length)) }]
        : [{ type: "user", inputId: null, from: null, content: text(said) }]
    case "assistant": {
      const words = { blockId: "sevt" as EventId, requestId: "mreq" as never, content: text(said), partial: false }
      const calls = tool_calls.map(({ function: { arguments: input, name }, id }): HistoryItem => ({
        type: "tool_call",
        callId: id as EventId,
        requestId: null,
        providerCallId: id,
        name,
        server: null,
        input: JSON.parse(input) as Json
      }))
      return said === "" ? calls : [{ type: "assistant", ...words }, ...calls]
    }
    case "tool": {
      const callId = tool_call_id as EventId
      const outcome = "succeeded"
      return [{ type: "tool_result", callId, providerCallId: callId, outcome, content: text(said), isError: false }]
    }
    default:
      return []
  }
}

const finishOf = {
  end_turn: "stop",
  tool_calls: "tool_calls",
  max_tokens: "length",
  refusal: "content_filter"
} as const

/** What the demo model answers to this conversation, as a fixture says it. */
const answer = async ({ messages, model }: ChatCompletionRequest) => {
  const history = messages.flatMap(itemsOf)
  const settings = isSummary(messages.at(-1)) ? ({ toolChoice: "none" } as const) : {}
  const request = { model: "demo", instructions: [], history, tools: [], settings, cacheKey: "" }
  const result = await Effect.runPromise(Effect.result(Stream.runCollect(DemoModel.make().stream(request))))
  if (Result.isFailure(result)) return { error: { message: result.failure.message }, status: 500 }
  const events: ReadonlyArray<ModelEvent> = result.success
  const pick = <Tag extends ModelEvent["_tag"]>(tag: Tag) =>
    events.filter((event): event is Extract<ModelEvent, { readonly _tag: Tag }> => event._tag === tag)
  const [end] = pick("Ended")
  const { inputTokens = 0, outputTokens = 0 } = end?.usage ?? {}
  const toolCalls = pick("ToolCall").map(({ input, name, providerCallId: id }) => ({ id, name, arguments: input }))
  return {
    content: pick("Text")
      .map(({ text: said }) => said)
      .join(""),
    ...(toolCalls.length === 0 ? {} : { toolCalls }),
    finishReason: end?.stop === "refusal" && model.startsWith("claude") ? "refusal" : finishOf[end?.stop ?? "end_turn"],
    usage: {
      prompt_tokens: inputTokens,
      completion_tokens: outputTokens,
      total_tokens: inputTokens + outputTokens,
      input_tokens: inputTokens,
      output_tokens: outputTokens
    }
  }
}

/** Words of a conversation that is refused as long as it has them, but for being summed up. */
export const overflowing = "too much for the window"

const anything: Fixture = { match: { predicate: () => true }, response: answer }
const isSummary = (message: ChatMessage | undefined) =>
  message !== undefined && wordsOf(message).includes("Sum up this")
const tooLong: Fixture = {
  match: {
    predicate: ({ messages }) =>
      !isSummary(messages.at(-1)) && messages.some((message) => wordsOf(message).includes(overflowing))
  },
  response: { error: { message: "maximum context length exceeded", code: "context_length_exceeded" }, status: 400 }
}

export interface DemoServerOptions {
  /** Milliseconds between two pieces of an answer. */
  readonly latency?: number
}

/** aimock, answering as the demo model does in each of its contracts. It is to be started. */
export const demoServer = ({ latency = 0 }: DemoServerOptions = {}): LLMock => {
  const mock = new LLMock({ port: 0, chunkSize: 8, latency })
  mock.addFixtures([tooLong, anything])
  return mock
}
