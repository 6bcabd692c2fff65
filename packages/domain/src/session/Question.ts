import { Result, Schema } from "effect"
import { Json, JsonObject } from "../Json.ts"
import { violations } from "../tools/JsonSchema.ts"

const Label = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(200))

export const QuestionOption = Schema.Struct({
  label: Label,
  description: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(2_000)))
})
export type QuestionOption = typeof QuestionOption.Type

const text = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(10_000))

const choices = {
  text,
  options: Schema.Array(QuestionOption).check(Schema.isMinLength(1), Schema.isMaxLength(50)),
  /** Whether words of one's own are an answer too. */
  allowOther: Schema.Boolean
}

/** What a person is asked, and which answers there are. */
export const Question = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("text"), text }),
  Schema.Struct({ kind: Schema.Literal("choice"), ...choices }),
  Schema.Struct({ kind: Schema.Literal("multi_choice"), ...choices }),
  /** A form, as JSON Schema: the answer is an object that fits it. One that may be declined takes null for that. */
  Schema.Struct({
    kind: Schema.Literal("form"),
    text,
    schema: JsonObject,
    declinable: Schema.optionalKey(Schema.Boolean)
  })
])
export type Question = typeof Question.Type

export const answerLengthMax = 32_768

const decode = Schema.decodeUnknownResult(Question)
const isStrings = Schema.is(Schema.Array(Schema.String))

const ofOption = (
  { allowOther, options }: Extract<Question, { readonly kind: "choice" | "multi_choice" }>,
  value: Json
) => {
  if (typeof value !== "string" || value.trim() === "") return "must be text"
  if (allowOther || options.some(({ label }) => label === value)) return null
  return `${JSON.stringify(value.slice(0, 200))} is none of ${options.map(({ label }) => JSON.stringify(label)).join(", ")}`
}

const ofQuestion = (question: Question, answer: Json): string | null => {
  switch (question.kind) {
    case "text":
      return typeof answer === "string" && answer.trim() !== "" ? null : "must be text"
    case "choice":
      return ofOption(question, answer)
    case "multi_choice": {
      if (!isStrings(answer)) return "must be a list of text"
      if (new Set(answer).size < answer.length) return "names an option twice"
      return answer.map((one) => ofOption(question, one)).find((wrong) => wrong !== null) ?? null
    }
    case "form":
      if (answer === null && question.declinable === true) return null
      return violations(question.schema, answer)[0] ?? null
  }
}

/** The answer as it was meant: those who can only send text send a form as JSON. */
export const answerAs = (question: JsonObject | null, answer: Json): Json => {
  if (question?.["kind"] !== "form" || typeof answer !== "string") return answer
  try {
    return JSON.parse(answer) as Json
  } catch {
    return answer
  }
}

/** Why this is no answer to the question, if so. A question of a kind that is not known takes any. */
export const wrongAnswer = (question: JsonObject | null, answer: Json): string | null => {
  if (JSON.stringify(answer).length > answerLengthMax) return `is longer than ${answerLengthMax} characters`
  const known = decode(question)
  return Result.isSuccess(known) ? ofQuestion(known.success, answer) : null
}
