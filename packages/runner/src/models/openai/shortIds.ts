import { createHash } from "node:crypto"
import type OpenAI from "openai"

type Message = OpenAI.ChatCompletionMessageParam

/** What Mistral's models take, whoever serves them, and every other model takes as well. */
const taken = /^[A-Za-z0-9]{9}$/

/** Whether a model is of those, as far as its name says. */
export const wantsShortIds = (model: string): boolean =>
  /(?:^|\/)(?:open-)?(?:mi[sx]tral|ministral|magistral|codestral|devstral|pixtral|voxtral)/i.test(model)

/** The same for the same id, in whatever request it comes: a provider finds in its cache what it was told before. */
const shortened = (id: string): string =>
  taken.test(id) ? id : createHash("sha256").update(id).digest("base64").replaceAll(/[+/=]/g, "").slice(0, 9)

const shorten = (message: Message): Message => {
  if (message.role === "tool") return { ...message, tool_call_id: shortened(message.tool_call_id) }
  if (message.role !== "assistant" || message.tool_calls === undefined) return message
  return { ...message, tool_calls: message.tool_calls.map((call) => ({ ...call, id: shortened(call.id) })) }
}

const idsOf = (message: Message): ReadonlyArray<string> =>
  message.role === "tool"
    ? [message.tool_call_id]
    : message.role === "assistant"
      ? (message.tool_calls ?? []).map(({ id }) => id)
      : []

/** A request whose calls and results are told by ids of nine letters and digits; null where they are so already. */
export const withShortIds = <Params extends { readonly messages?: unknown }>(params: Params): Params | null => {
  const messages = (params.messages ?? []) as ReadonlyArray<Message>
  return messages.flatMap(idsOf).every((id) => taken.test(id)) ? null : { ...params, messages: messages.map(shorten) }
}
