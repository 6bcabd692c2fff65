import { Schema } from "effect"
import { exitCodes } from "./exitCodes.ts"
import { inWords } from "./inWords.ts"

/** What went wrong, for whoever typed the command: in a line, and what to type next. */
export class Trouble extends Schema.TaggedError<Trouble>()("Trouble", {
  what: Schema.String,
  advice: Schema.NullOr(Schema.String),
  code: Schema.Int,
  /** The kind of it, where more is known than the exit code says. */
  type: Schema.optionalKey(Schema.String),
  requestId: Schema.optionalKey(Schema.NullOr(Schema.String))
}) {
  override get message() {
    return inWords(this)
  }
}

export const usageTrouble = (what: string, advice: string | null = null): Trouble =>
  new Trouble({ what, advice, code: exitCodes.usage })
