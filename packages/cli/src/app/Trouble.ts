import { Schema } from "effect"
import { exitCodes } from "./exitCodes.ts"

/** What went wrong, for whoever typed the command: in a line, and what to type next. */
export class Trouble extends Schema.TaggedError<Trouble>()("Trouble", {
  what: Schema.String,
  advice: Schema.NullOr(Schema.String),
  code: Schema.Int
}) {
  override get message() {
    return this.advice === null ? this.what : `${this.what}\n${this.advice}`
  }
}

export const usageTrouble = (what: string, advice: string | null = null): Trouble =>
  new Trouble({ what, advice, code: exitCodes.usage })
