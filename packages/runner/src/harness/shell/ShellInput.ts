import { type Content } from "@troupe/domain/session/Content"
import { Result, Schema } from "effect"

const Prompt = Schema.String.check(Schema.isMinLength(1))

/** What a command is told once it has said `prompt`: what is written here, or what a person says who is asked before it begins. */
const Reply = Schema.Union([
  Schema.Struct({ prompt: Prompt, reply: Schema.String }),
  Schema.Struct({
    prompt: Prompt,
    ask: Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(10_000)),
    /** The answers that there are; absent: any words. */
    options: Schema.optionalKey(
      Schema.Array(Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(200))).check(
        Schema.isMinLength(1),
        Schema.isMaxLength(50)
      )
    )
  })
])

/** One command of a turn that no model takes part in. */
export const ShellCommand = Schema.Struct({
  run: Schema.String.check(Schema.isMinLength(1)),
  cwd: Schema.optionalKey(Schema.String.check(Schema.isMinLength(1))),
  env: Schema.optionalKey(
    Schema.Record(Schema.String.check(Schema.isPattern(/^[A-Za-z_][A-Za-z0-9_]*$/)), Schema.String)
  ),
  timeoutMs: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0))),
  stdin: Schema.optionalKey(Schema.String),
  /** What it is told, a line each, once it has asked for it in these words; in their order. After the last its input ends. */
  replies: Schema.optionalKey(Schema.Array(Reply).check(Schema.isMaxLength(100)))
}).check(
  Schema.makeFilter(({ replies, stdin }) =>
    replies === undefined || stdin === undefined
      ? undefined
      : { path: ["replies"], issue: "is not taken together with stdin" }
  )
)
export type ShellCommand = typeof ShellCommand.Type

const Commands = Schema.Struct({
  commands: Schema.Array(ShellCommand).check(Schema.isMinLength(1), Schema.isMaxLength(1_000)),
  stopOnFailure: Schema.optionalKey(Schema.Boolean)
})

export interface ShellScript {
  readonly commands: ReadonlyArray<ShellCommand>
  /** Whether those after a command that failed are left out. */
  readonly stopOnFailure: boolean
}

const decode = Schema.decodeUnknownResult(Commands)

/** The text of it, and nothing of what is none. */
export const wordsOf = (content: Content): string =>
  content.map((block) => (block.type === "text" ? block.text : "")).join("\n")

/** What a message asks to be run: a JSON object with `commands`, or else its text as one script. */
export const shellScript = (content: Content): Result.Result<ShellScript, string> => {
  const other = content.find((block) => block.type !== "text")
  if (other !== undefined) return Result.fail(`A shell takes text, not a block of type ${other.type}`)
  const text = wordsOf(content).trim()
  if (text === "") return Result.fail("There is nothing to run: the message is empty")
  const value = parsed(text)
  if (value === undefined) return Result.succeed({ commands: [{ run: text }], stopOnFailure: true })
  return Result.match(decode(value, { onExcessProperty: "error", errors: "all" }), {
    onFailure: (issue) => Result.fail(`The commands are not as they should be: ${String(issue)}`),
    onSuccess: ({ commands, stopOnFailure = true }) => Result.succeed({ commands, stopOnFailure })
  })
}

/** An object with `commands` is meant as such, right or wrong; any other text is a script, as `{ echo; }` is. */
const parsed = (text: string): unknown => {
  if (!text.startsWith("{")) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null && "commands" in value ? value : undefined
  } catch {
    return undefined
  }
}
