import type { ModelCard } from "@troupe/client"

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
  readonly key: string
}

export const emptyDraft: Draft = { name: "", provider: "anthropic", model: "", baseUrl: "", key: "" }

/** What is still missing, in words; null once it can be made. Whether it works is found out by a probe. */
export const missing = ({ baseUrl, model, name, provider }: Draft): string | null => {
  if (!/^[a-z][a-z0-9_-]{0,63}$/.test(name))
    return "A name has small letters, digits, - and _, and begins with a letter."
  if (name === "demo") return "demo is the name of the demo model."
  if (model.trim() === "") return "Say which model, as its provider calls it."
  if (provider === "azure" && baseUrl.trim() === "") return "Azure needs the address of your resource."
  return null
}

export const bodyOf = ({ baseUrl, key, model, name, provider }: Draft) => ({
  name,
  provider,
  model: model.trim(),
  ...(baseUrl.trim() === "" ? {} : { base_url: baseUrl.trim() }),
  ...(key.trim() === "" ? {} : { api_key: key.trim() })
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
