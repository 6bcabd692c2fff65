import { Schema } from "effect"

/** What an exit code says. */
export const exitCodes = {
  failed: 1,
  usage: 2,
  noServer: 3,
  refused: 4,
  waits: 5,
  budget: 6,
  interrupted: 130
} as const

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
