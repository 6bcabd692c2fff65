import type { ModelCard, ModelCardCreate, ModelCardUpdate } from "@troupe/client"
import { type Header, halfOf, headersOf } from "../ui/secretHeaders.logic.ts"
import { type PriceDraft, priceDraftOf, priceIn } from "./price.logic.ts"

export const providers = [
  { id: "anthropic", title: "Anthropic" },
  { id: "openai", title: "OpenAI" },
  { id: "openai-chat", title: "Speaks like OpenAI's chat" },
  { id: "azure", title: "Azure" }
] as const
export type Provider = (typeof providers)[number]["id"]

export interface Draft {
  readonly name: string
  readonly provider: Provider
  readonly model: string
  readonly baseUrl: string
  readonly apiVersion: string
  readonly contextTokens: string
  readonly outputTokens: string
  readonly price: PriceDraft
  /** Empty: the one that is kept stays. */
  readonly key: string
  /** A token of Azure's directory, in the place of a key. */
  readonly directoryToken: string
  /** Null where those that are kept stay as they are. */
  readonly headers: ReadonlyArray<Header> | null
}

export const draftOf = (card: ModelCard | null): Draft => ({
  name: card?.name ?? "",
  provider: card?.provider ?? "anthropic",
  model: card?.model ?? "",
  baseUrl: card?.base_url ?? "",
  apiVersion: card?.api_version ?? "",
  contextTokens: String(card?.context_tokens ?? ""),
  outputTokens: String(card?.output_tokens ?? ""),
  price: priceDraftOf(card?.price ?? null),
  key: "",
  directoryToken: "",
  headers: card === null || card.header_names.length === 0 ? [] : null
})

/** Null where nothing is written, undefined where it is no number of tokens. */
const tokensIn = (text: string): number | null | undefined => {
  const plain = text.trim()
  if (plain === "") return null
  return /^[1-9]\d{0,8}$/.test(plain) ? Number(plain) : undefined
}

/** What is still missing, in words; null once it can be saved. Whether it works is found out by a probe. */
export const missing = (draft: Draft): string | null => {
  const { baseUrl, contextTokens, directoryToken, headers, key, model, name, outputTokens, price, provider } = draft
  if (!/^[a-z][a-z0-9_-]{0,63}$/.test(name))
    return "A name has small letters, digits, - and _, and begins with a letter."
  if (name === "demo") return "demo is the name of the demo model."
  if (model.trim() === "") return "Say which model, as its provider calls it."
  if (provider === "azure" && baseUrl.trim() === "") return "Azure needs the address of your resource."
  if (provider === "azure" && key.trim() !== "" && directoryToken.trim() !== "")
    return "Azure lets in by a key or by a token of its directory: say one of them."
  const tokens = [tokensIn(contextTokens), tokensIn(outputTokens)]
  if (tokens.includes(undefined)) return "Tokens are whole numbers, such as 200000."
  if (tokens.includes(null) && !tokens.every((one) => one === null))
    return "How much it reads and how much it writes are said together, or neither."
  if (priceIn(price) === undefined) return "A price has all five numbers, in dollars, or none."
  return halfOf(headers)
}

/** What lets it in, where that is written anew. Of key and token one takes the place of the other. */
const secretsOf = ({ directoryToken, headers, key, provider }: Draft, card: ModelCard | null): ModelCardUpdate => {
  const isAzure = provider === "azure"
  const given = headers === null ? null : headersOf(headers)
  const leavesAzure = card?.provider === "azure" && !isAzure
  return {
    ...(leavesAzure ? { ad_token: null } : {}),
    ...(key.trim() === "" ? {} : { api_key: key.trim(), ...(isAzure ? { ad_token: null } : {}) }),
    ...(isAzure && directoryToken.trim() !== "" ? { ad_token: directoryToken.trim(), api_key: null } : {}),
    ...(headers === null || (given === null && (card?.header_names.length ?? 0) === 0) ? {} : { headers: given })
  }
}

/** What a card is changed to. Its name stays, and what is secret where nothing else is written. */
export const updateOf = (draft: Draft, card: ModelCard | null): ModelCardUpdate => ({
  provider: draft.provider,
  model: draft.model.trim(),
  base_url: draft.baseUrl.trim() || null,
  api_version: draft.apiVersion.trim() || null,
  context_tokens: tokensIn(draft.contextTokens) ?? null,
  output_tokens: tokensIn(draft.outputTokens) ?? null,
  price: priceIn(draft.price) ?? null,
  ...secretsOf(draft, card)
})

export const bodyOf = (draft: Draft): ModelCardCreate => ({
  ...updateOf(draft, null),
  name: draft.name,
  provider: draft.provider,
  model: draft.model.trim()
})

/** How a card stands: what its last probe found. */
export const standingOf = ({ probe }: ModelCard): { readonly tone: "good" | "bad" | ""; readonly text: string } => {
  switch (probe.status) {
    case "usable":
      return probe.model_listed === false
        ? { tone: "bad", text: "The provider does not list this model" }
        : { tone: "good", text: "Usable" }
    case "unusable":
      return { tone: "bad", text: probe.reason ?? "Not usable" }
    case "not_probed":
      return { tone: "", text: probe.reason ?? "Not tried yet" }
  }
}
