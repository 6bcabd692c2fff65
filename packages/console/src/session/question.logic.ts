import type { Json, JsonObject } from "@troupe/domain/Json"

export interface Asked {
  readonly kind: "text" | "choice" | "multi_choice" | "form"
  readonly text: string
  readonly options: ReadonlyArray<{ readonly label: string; readonly description: string | null }>
  readonly allowOther: boolean
}

const optionOf = (option: Json) => {
  const { description, label } = (option ?? {}) as { readonly label?: Json; readonly description?: Json }
  return typeof label === "string" ? [{ label, description: typeof description === "string" ? description : null }] : []
}

/** A question as it is asked; one of a kind that is not known takes words. */
export const askedOf = (question: JsonObject | null): Asked => {
  const { allowOther, kind, options, text } = question ?? {}
  return {
    kind: kind === "choice" || kind === "multi_choice" || kind === "form" ? kind : "text",
    text: typeof text === "string" ? text : "It asks you something.",
    options: Array.isArray(options) ? options.flatMap(optionOf) : [],
    allowOther: allowOther === true
  }
}

/** What was chosen and written, as an answer; null while there is none. */
export const answerOf = (asked: Asked, chosen: ReadonlyArray<string>, words: string): Json | null => {
  const own = words.trim()
  switch (asked.kind) {
    case "text":
      return own === "" ? null : own
    case "choice":
      return chosen[0] ?? (asked.allowOther && own !== "" ? own : null)
    case "multi_choice": {
      const all = asked.allowOther && own !== "" ? [...chosen, own] : chosen
      return all.length === 0 ? null : all
    }
    case "form":
      try {
        const value: unknown = JSON.parse(own)
        return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : null
      } catch {
        return null
      }
  }
}
