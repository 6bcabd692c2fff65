import type { Json, JsonObject, Question } from "@troupe/client"
import { wrongAnswer } from "@troupe/domain/session/Question"
import { Result, Schema } from "effect"

const Options = Schema.Struct({
  options: Schema.Array(Schema.Struct({ label: Schema.String, description: Schema.optionalKey(Schema.String) }))
})
const decodeOptions = Schema.decodeUnknownResult(Options)

export interface Choice {
  readonly label: string
  readonly description?: string | undefined
}

export const choicesOf = ({ question }: Question): ReadonlyArray<Choice> => {
  const found = decodeOptions(question)
  return Result.isSuccess(found) ? found.success.options : []
}

export const textOf = ({ question }: Question): string =>
  typeof question?.["text"] === "string" ? question["text"] : "A question that is not there any more."

const numbered = (choices: ReadonlyArray<Choice>, typed: string): string =>
  /^\d+$/.test(typed) ? (choices[Number(typed) - 1]?.label ?? typed) : typed

const answerOf = (question: Question, typed: string): Json => {
  const choices = choicesOf(question)
  switch (question.question?.["kind"]) {
    case "multi_choice":
      return typed
        .split(",")
        .map((part) => numbered(choices, part.trim()))
        .filter((part) => part !== "")
    case "choice":
      return numbered(choices, typed.trim())
    case "form":
      try {
        return JSON.parse(typed) as Json
      } catch {
        return typed
      }
    default:
      return typed
  }
}

/** What was typed, as an answer: a number names an option, commas divide several, and a form takes JSON. */
export const readAnswer = (
  question: Question,
  typed: string
): { readonly answer: Json } | { readonly wrong: string } => {
  const answer = answerOf(question, typed)
  const wrong = wrongAnswer(question.question as JsonObject | null, answer)
  return wrong === null ? { answer } : { wrong: `The answer ${wrong}.` }
}
