import type { Json, JsonObject } from "@troupe/domain/Json"
import type { Question } from "@troupe/domain/session/Question"
import { harmlessSchema } from "@troupe/domain/tools/harmlessSchema"
import { Option, Result } from "effect"
import type { McpAnswer, McpQuestion } from "./McpPeople.ts"

const textLengthMax = 8_000
const schemaLengthMax = 16_384
const opened = "Done"
const declined = "Decline"

const isObject = (value: Json): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A server's question as one to a person, or why nobody can be asked that. */
export const elicited = ({ message, schema, server, url }: McpQuestion): Result.Result<Question, string> => {
  const words = `${server} asks: ${message}`.slice(0, textLengthMax)
  if (schema === null) {
    if (url === null || url.length > 2_000) return Result.fail("its address is too long")
    const text = `${words}\n\nOpen ${url} and say when it is done.`
    return Result.succeed({
      kind: "choice",
      text,
      options: [{ label: opened }, { label: declined }],
      allowOther: false
    })
  }
  const form = harmlessSchema(schema)
  if (typeof form === "string") return Result.fail(`its form ${form}`)
  if (JSON.stringify(form).length > schemaLengthMax)
    return Result.fail(`its form is longer than ${schemaLengthMax} bytes`)
  return Result.succeed({ kind: "form", text: words, schema: form, declinable: true })
}

/** What the server hears: what was filled in, that nobody wanted to, or that nobody was there. */
export const elicitedAnswer = (question: Question, answer: Option.Option<Json>): McpAnswer => {
  if (Option.isNone(answer)) return { action: "cancel" }
  if (question.kind !== "form") return { action: answer.value === opened ? "accept" : "decline" }
  return isObject(answer.value) ? { action: "accept", content: answer.value } : { action: "decline" }
}
