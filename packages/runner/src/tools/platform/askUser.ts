import type { JsonObject } from "@troupe/domain/Json"
import type { Question } from "@troupe/domain/session/Question"
import type { ToolConfig } from "@troupe/domain/tools/Toolset"
import { Result, Schema } from "effect"
import { objectSchema } from "../builtin/BuiltIn.ts"
import { type AskedQuestion, outside, type Tool } from "../Tool.ts"

const optionsMax = 50
const secondsMin = 10
const secondsMax = 30 * 86_400

const Input = Schema.Struct({
  question: Schema.String,
  kind: Schema.optionalKey(Schema.Literals(["text", "choice", "multi_choice"])),
  options: Schema.optionalKey(
    Schema.Array(Schema.Struct({ label: Schema.String, description: Schema.optionalKey(Schema.String) }))
  ),
  allow_other: Schema.optionalKey(Schema.Boolean),
  expires_in_seconds: Schema.optionalKey(Schema.Int)
})

const description = `Asks the person you work for, and gives you the answer.

- Ask where a decision is theirs to make or you can't find out by yourself. Don't ask whether to go on.
- Give options where you know the answers that make sense. With options, one is chosen; with kind multi_choice, any number.
- The work waits until there is an answer, however long that takes, unless you say when the question expires.`

const inputSchema = objectSchema(
  {
    question: { type: "string", minLength: 1, maxLength: 10_000, description: "What you want to know." },
    kind: {
      type: "string",
      enum: ["text", "choice", "multi_choice"],
      description:
        "Text in the person's own words, one option, or any number of options. Follows from options if absent."
    },
    options: {
      type: "array",
      minItems: 1,
      maxItems: optionsMax,
      items: objectSchema(
        {
          label: { type: "string", minLength: 1, maxLength: 200, description: "The answer itself, in a few words." },
          description: { type: "string", maxLength: 2_000, description: "What it would mean." }
        },
        ["label"]
      )
    },
    allow_other: { type: "boolean", description: "Whether an answer in the person's own words will do too." },
    expires_in_seconds: {
      type: "integer",
      minimum: secondsMin,
      maximum: secondsMax,
      description: "After this long without an answer you go on without one."
    }
  },
  ["question"]
)

const decode = Schema.decodeUnknownSync(Input)

const questionOf = (input: JsonObject): Result.Result<AskedQuestion, string> => {
  const { allow_other = false, expires_in_seconds, kind, options, question: text } = decode(input)
  const wanted = kind ?? (options === undefined ? "text" : "choice")
  const asked = (question: Question) =>
    Result.succeed({ question, expiresInMs: expires_in_seconds === undefined ? null : expires_in_seconds * 1_000 })
  if (wanted === "text") {
    return options === undefined
      ? asked({ kind: wanted, text })
      : Result.fail("A question of kind text has no `options`.")
  }
  if (options === undefined) return Result.fail(`A question of kind ${wanted} needs \`options\`.`)
  const labels = new Set(options.map(({ label }) => label))
  if (labels.size < options.length) return Result.fail("Two `options` have one label.")
  return asked({ kind: wanted, text, options, allowOther: allow_other })
}

/** A question to a person. Nothing runs: the answer, whenever it comes, is the call's result. */
export const askUser = (config: ToolConfig): Tool => ({
  ...outside(
    "platform",
    { name: "ask_user", server: null, description, inputSchema, readOnly: true, idempotent: true },
    config.permission_policy
  ),
  question: questionOf
})
