import type { EventId } from "@troupe/domain/Ids"
import type { Json } from "@troupe/domain/Json"
import type { Block, Content } from "@troupe/domain/session/Content"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import type { Responses } from "openai/resources/responses/responses"
import { argumentsOf, callIds } from "../callIds.ts"

type Input = Responses.ResponseInputItem
type Part = Responses.ResponseInputText | Responses.ResponseInputImage | Responses.ResponseInputFile

const file = (block: Extract<Block, { readonly type: "document" }>): Part | null => {
  const { source, title } = block
  const filename = title ?? "document.pdf"
  switch (source.type) {
    case "url":
      return { type: "input_file", file_url: source.url }
    case "base64":
      return { type: "input_file", filename, file_data: `data:${source.mediaType};base64,${source.data}` }
    case "text":
      return { type: "input_text", text: `${title === undefined ? "" : `${title}\n\n`}${source.data}` }
    default:
      return null
  }
}

/** What was said of a document beside it, which this interface has no place for. */
const about = ({ context, title }: Extract<Block, { readonly type: "document" }>): ReadonlyArray<Part> =>
  context === undefined ? [] : [{ type: "input_text", text: `About ${title ?? "the next document"}: ${context}` }]

const image = (block: Extract<Block, { readonly type: "image" }>): Part | null => {
  const { source } = block
  if (source.type === "url") return { type: "input_image", detail: "auto", image_url: source.url }
  if (source.type !== "base64") return null
  return { type: "input_image", detail: "auto", image_url: `data:${source.mediaType};base64,${source.data}` }
}

/** Content as this interface takes it. What it can't take is named in words, so that the model knows of it. */
export const toParts = (content: Content): Array<Part> =>
  content.flatMap((block): Array<Part> => {
    const words = (text: string): Array<Part> => [{ type: "input_text", text }]
    switch (block.type) {
      case "text":
        return words(block.text)
      case "image":
        return [image(block) ?? words("[an image that is not at hand]")[0]!]
      case "document":
        return [...about(block), file(block) ?? words("[a document that is not at hand]")[0]!]
      case "search_result":
        return words(JSON.stringify(block.result))
      case "blob":
        return words(block.blob.preview)
      case "redacted":
        return words("[redacted]")
    }
  })

/** The words of content, for places that take nothing else. */
export const toText = (content: Content): string =>
  toParts(content)
    .map((part) => (part.type === "input_text" ? part.text : `[${part.type.slice("input_".length)}]`))
    .join("\n")

export interface Kept {
  readonly provider: "openai"
  /** Who gave it, as the installation names them: nobody else can read it. */
  readonly by?: string
  readonly item: Responses.ResponseReasoningItem
}

/** Who is told the conversation. */
export interface Told {
  readonly provider: string
  /** Whether the model reasons: one that does not refuses a request with what another one thought. */
  readonly reasons: boolean
}

const isKept = (opaque: Json | null): opaque is Json & Kept =>
  typeof opaque === "object" && opaque !== null && "provider" in opaque && opaque.provider === "openai"

const thought = (opaque: Json | null, { provider, reasons }: Told): Array<Input> =>
  reasons && isKept(opaque) && (opaque.by ?? provider) === provider ? [opaque.item] : []

const toInput = (item: HistoryItem, told: Told, idOf: (callId: EventId) => string): Array<Input> => {
  switch (item.type) {
    case "user":
      return [{ type: "message", role: "user", content: toParts(item.content) }]
    case "system":
      return [{ type: "message", role: "developer", content: toParts(item.content) }]
    case "summary": {
      const head: Part = { type: "input_text", text: "Summary of the conversation so far:" }
      return [{ type: "message", role: "user", content: [head, ...toParts(item.content)] }]
    }
    case "note":
      return [{ type: "message", role: "developer", content: [{ type: "input_text", text: item.text }] }]
    case "assistant":
      return [{ role: "assistant", content: toText(item.content) }]
    case "thinking":
      return thought(item.opaque, told)
    case "tool_call":
      return [
        {
          type: "function_call",
          call_id: idOf(item.callId),
          name: item.name,
          arguments: JSON.stringify(argumentsOf(item.editedInput ?? item.input))
        }
      ]
    case "tool_result": {
      const parts = toParts(item.content)
      const plain = parts.every((part) => part.type === "input_text")
      return [
        {
          type: "function_call_output",
          call_id: idOf(item.callId),
          output: plain ? toText(item.content) : parts
        }
      ]
    }
  }
}

export const toInputs = (history: ReadonlyArray<HistoryItem>, told: Told): Array<Input> => {
  const idOf = callIds(history)
  return history.flatMap((item) => toInput(item, told, idOf))
}
