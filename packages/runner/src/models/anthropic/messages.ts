import type Anthropic from "@anthropic-ai/sdk"
import type { Block, Content } from "@troupe/domain/session/Content"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import type { EventId } from "@troupe/domain/Ids"
import type { Json } from "@troupe/domain/Json"
import { argumentsOf, callIds } from "../callIds.ts"

type Param = Anthropic.ContentBlockParam
type Message = { readonly role: "user" | "assistant"; readonly content: Array<Param> }

const withoutText = "(nothing)"

const source = (block: Extract<Block, { readonly type: "image" | "document" }>): Param | null => {
  const from = block.source
  if (block.type === "image") {
    if (from.type === "url") return { type: "image", source: { type: "url", url: from.url } }
    if (from.type !== "base64") return null
    const mediaType = from.mediaType as Anthropic.Base64ImageSource["media_type"]
    return { type: "image", source: { type: "base64", media_type: mediaType, data: from.data } }
  }
  const about = {
    ...(block.title === undefined ? {} : { title: block.title }),
    ...(block.context === undefined ? {} : { context: block.context })
  }
  switch (from.type) {
    case "url":
      return { type: "document", source: { type: "url", url: from.url }, ...about }
    case "text":
      return { type: "document", source: { type: "text", media_type: "text/plain", data: from.data }, ...about }
    case "base64":
      return {
        type: "document",
        source: { type: "base64", media_type: "application/pdf", data: from.data },
        ...about
      }
    default:
      return null
  }
}

/** Content as this provider takes it. What it can't take is named in words, so that the model knows of it. */
export const toParams = (content: Content): Array<Param> =>
  content.flatMap((block): Array<Param> => {
    switch (block.type) {
      case "text":
        return block.text === "" ? [] : [{ type: "text", text: block.text }]
      case "image":
      case "document":
        return [source(block) ?? { type: "text", text: `[a ${block.type} that is not at hand]` }]
      case "search_result":
        return [{ type: "text", text: JSON.stringify(block.result) }]
      case "blob":
        return [{ type: "text", text: block.blob.preview }]
      case "redacted":
        return [{ type: "text", text: "[redacted]" }]
    }
  })

interface Signed {
  readonly provider: "anthropic"
  readonly block: Anthropic.ThinkingBlockParam | Anthropic.RedactedThinkingBlockParam
}

const isSigned = (opaque: Json | null): opaque is Json & Signed =>
  typeof opaque === "object" && opaque !== null && "provider" in opaque && opaque.provider === "anthropic"

type IdOf = (callId: EventId) => string

/** One item of the conversation: who says it, and what. */
const said = (item: HistoryItem, idOf: IdOf): { readonly role: Message["role"]; readonly params: Array<Param> } => {
  switch (item.type) {
    case "user":
      return { role: "user", params: toParams(item.content) }
    case "system":
      return {
        role: "user",
        params: [{ type: "text", text: "<system>" }, ...toParams(item.content), { type: "text", text: "</system>" }]
      }
    case "summary":
      return {
        role: "user",
        params: [{ type: "text", text: "Summary of the conversation so far:" }, ...toParams(item.content)]
      }
    case "note":
      return { role: "user", params: [{ type: "text", text: `<note>${item.text}</note>` }] }
    case "assistant":
      return { role: "assistant", params: toParams(item.content) }
    case "thinking":
      return { role: "assistant", params: isSigned(item.opaque) ? [item.opaque.block] : [] }
    case "tool_call":
      return {
        role: "assistant",
        params: [
          {
            type: "tool_use",
            id: idOf(item.callId),
            name: item.name,
            input: argumentsOf(item.editedInput ?? item.input)
          }
        ]
      }
    case "tool_result": {
      const content = toParams(item.content) as Array<Anthropic.TextBlockParam | Anthropic.ImageBlockParam>
      const result: Anthropic.ToolResultBlockParam = {
        type: "tool_result",
        tool_use_id: idOf(item.callId),
        content: content.length === 0 ? [{ type: "text", text: withoutText }] : content,
        is_error: item.isError
      }
      return { role: "user", params: [result] }
    }
  }
}

const cached: Anthropic.CacheControlEphemeral = { type: "ephemeral" }

const mark = ({ content: params }: Message): void => {
  const last = params[params.length - 1]
  if (last === undefined || last.type === "thinking" || last.type === "redacted_thinking") return
  params[params.length - 1] = { ...last, cache_control: cached } as Param
}

/**
 * Marks where the conversation's cached part ends: at its end, since all of it comes again with the next request, and where the
 * request before this one ended. The provider looks for that only some blocks back, and many calls may lie in between.
 */
const markEnds = (messages: ReadonlyArray<Message>): void => {
  const asked = messages.filter(({ role }) => role === "user")
  for (const message of asked.slice(-2)) mark(message)
}

/** The conversation in turns of two speakers, as this provider wants it. */
export const toMessages = (history: ReadonlyArray<HistoryItem>): Array<Message> => {
  const messages: Array<Message> = []
  const idOf = callIds(history)
  for (const item of history) {
    const { params, role } = said(item, idOf)
    if (params.length === 0) continue
    const last = messages[messages.length - 1]
    if (last?.role === role) last.content.push(...params)
    else messages.push({ role, content: params })
  }
  if (messages[0]?.role === "assistant")
    messages.unshift({ role: "user", content: [{ type: "text", text: withoutText }] })
  markEnds(messages)
  return messages
}
