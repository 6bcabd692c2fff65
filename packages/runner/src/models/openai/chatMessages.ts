import type { Content } from "@troupe/domain/session/Content"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import type OpenAI from "openai"
import { argumentsOf, callIds } from "../callIds.ts"
import { toParts, toText } from "./responsesInput.ts"

type Message = OpenAI.ChatCompletionMessageParam
type Part = OpenAI.ChatCompletionContentPart

const toChatParts = (content: Content): Array<Part> =>
  toParts(content).map((part): Part => {
    if (part.type === "input_text") return { type: "text", text: part.text }
    if (part.type === "input_image") return { type: "image_url", image_url: { url: part.image_url ?? "" } }
    if (part.file_data === undefined) return { type: "text", text: `[a document at ${part.file_url}]` }
    return { type: "file", file: { filename: part.filename ?? "document", file_data: part.file_data } }
  })

const plain = (parts: ReadonlyArray<Part>) => parts.every((part) => part.type === "text")

const user = (content: Content): Message => {
  const parts = toChatParts(content)
  // Many servers that speak this interface take text alone, and that as a string.
  return { role: "user", content: plain(parts) ? toText(content) : parts }
}

interface Assistant {
  role: "assistant"
  content: string | null
  tool_calls?: Array<OpenAI.ChatCompletionMessageFunctionToolCall>
}

/** What a result shows beside its words: tool messages take text alone, so that goes into a message of its own. */
const shown = (content: Content): ReadonlyArray<Part> => toChatParts(content).filter((part) => part.type !== "text")

/** The conversation in this interface's roles: what one response said is one message, and its calls' results follow it. */
export const toMessages = (instructions: string, history: ReadonlyArray<HistoryItem>): Array<Message> => {
  const messages: Array<Message> = instructions === "" ? [] : [{ role: "system", content: instructions }]
  let response: { readonly requestId: string | null; readonly message: Assistant } | null = null
  let pictures: Array<Part> = []
  const idOf = callIds(history)

  const assistant = (requestId: string | null): Assistant => {
    if (response !== null && response.requestId === requestId) return response.message
    const message: Assistant = { role: "assistant", content: null }
    response = { requestId, message }
    messages.push(message)
    return message
  }
  const flush = () => {
    if (pictures.length > 0) messages.push({ role: "user", content: pictures })
    pictures = []
  }
  const say = (message: Message) => {
    flush()
    response = null
    messages.push(message)
  }

  for (const item of history) {
    switch (item.type) {
      case "user":
        say(user(item.content))
        break
      case "system":
        // Many models take the role of the system at the beginning alone.
        say({ role: "user", content: `<system>\n${toText(item.content)}\n</system>` })
        break
      case "summary":
        say({ role: "user", content: `Summary of the conversation so far:\n${toText(item.content)}` })
        break
      case "note":
        say({ role: "user", content: `<note>${item.text}</note>` })
        break
      case "assistant": {
        flush()
        const message = assistant(item.requestId)
        message.content = [message.content, toText(item.content)].filter((text) => text !== null).join("\n")
        break
      }
      case "thinking":
        break
      case "tool_call": {
        flush()
        const { callId, editedInput, input, name, requestId } = item
        const call = { name, arguments: JSON.stringify(argumentsOf(editedInput ?? input)) }
        const message = assistant(requestId)
        message.tool_calls = [...(message.tool_calls ?? []), { id: idOf(callId), type: "function", function: call }]
        break
      }
      case "tool_result":
        response = null
        messages.push({ role: "tool", tool_call_id: idOf(item.callId), content: toText(item.content) })
        pictures.push(...shown(item.content))
        break
    }
  }
  flush()
  return messages
}
