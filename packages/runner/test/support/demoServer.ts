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
const answer = async ({ messages, model, tool_choice }: ChatCompletionRequest) => {
  const history = messages.flatMap(itemsOf)
  const settings = tool_choice === "none" ? ({ toolChoice: "none" } as const) : {}
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

const anything: Fixture = { match: { predicate: () => true }, response: answer }

/** aimock, answering as the demo model does in each of its contracts. It is to be started. */
export const demoServer = (): LLMock => {
  const mock = new LLMock({ port: 0, chunkSize: 8 })
  mock.addFixtures([anything])
  return mock
}
