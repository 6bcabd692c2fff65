import type { Json, JsonObject, Question } from "@troupe/client"

export interface Choice {
  readonly label: string
  readonly description?: string | undefined
}

const choiceOf = (option: Json): ReadonlyArray<Choice> => {
  const { description, label } = (option ?? {}) as JsonObject
  if (typeof label !== "string") return []
  return [typeof description === "string" ? { label, description } : { label }]
}

/** The options that a question has; none where it is of another kind. */
export const choicesOf = ({ question }: Question): ReadonlyArray<Choice> => {
  const options = question?.["options"]
  return Array.isArray(options) ? options.flatMap(choiceOf) : []
}

export const textOf = ({ question }: Question): string =>
  typeof question?.["text"] === "string" ? question["text"] : "A question that is not there any more."

const numbered = (choices: ReadonlyArray<Choice>, typed: string): string =>
  /^\d+$/.test(typed) ? (choices[Number(typed) - 1]?.label ?? typed) : typed

/** What was typed, as an answer: a number names an option, commas divide several, and a form takes JSON. */
export const answerOf = (question: Question, typed: string): Json => {
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
