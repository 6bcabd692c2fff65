import type { ApprovalAnswer } from "@troupe/domain/api/Inbox"
import type { Json, JsonObject } from "@troupe/domain/Json"

/** Arguments as one edits them. */
export const textOf = (input: Json): string => JSON.stringify(input, null, 2)

export type Edited =
  | { readonly _tag: "Read"; readonly input: JsonObject }
  | { readonly _tag: "Wrong"; readonly why: string }

export const readArguments = (text: string): Edited => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? { _tag: "Read", input: value as JsonObject }
      : { _tag: "Wrong", why: "Arguments are a JSON object." }
  } catch (error) {
    return { _tag: "Wrong", why: error instanceof Error ? error.message : String(error) }
  }
}

/** Only what was seen is allowed: other arguments are refused. */
export const allowance = (scope: "once" | "session", digest: string): ApprovalAnswer => ({
  result: "allow",
  scope,
  input_digest: digest as never
})

/** These arguments and no others, so there is nothing left to be mistaken about. */
export const allowedWith = (input: JsonObject): ApprovalAnswer => ({ result: "allow", input })

export const denial = (words: string): ApprovalAnswer => ({
  result: "deny",
  message: words.trim() === "" ? null : words.trim()
})
