import { Effect, Option, Redacted } from "effect"
import { Flag, Prompt } from "effect/cli"
import { readFileSync, statSync } from "node:fs"
import { text as readAll } from "node:stream/consumers"
import { usageTrouble } from "./Trouble.ts"
import { whyUnreadable } from "./unreadable.ts"

/** Where a secret is: never on the command line, which every program of the host may read. */
export const secretFlag = (name: string) =>
  Flag.String(name).pipe(
    Flag.optional,
    Flag.withMetavar("file"),
    Flag.withDescription("The secret is in this file, which only its owner may read; - reads it from standard input")
  )

const fromFile = (file: string) =>
  Effect.try({
    try: () => {
      if ((statSync(file).mode & 0o077) !== 0) {
        throw usageTrouble(`Others may read ${file}.`, `Keep them out: chmod 600 ${file}`)
      }
      return readFileSync(file, "utf8")
    },
    catch: (cause) =>
      cause instanceof Error && cause.name === "Trouble"
        ? (cause as ReturnType<typeof usageTrouble>)
        : usageTrouble(`${file} can't be read: ${whyUnreadable(cause)}.`)
  })

/** A secret from its file, from a pipe, or from whoever types. */
export const secretOf = Effect.fnUntraced(function* (file: Option.Option<string>, name: string) {
  const isPiped = Option.isNone(file) ? process.stdin.isTTY !== true : file.value === "-"
  const text = isPiped
    ? yield* Effect.promise(() => readAll(process.stdin))
    : Option.isSome(file)
      ? yield* fromFile(file.value)
      : Redacted.value(yield* Prompt.run(Prompt.Password({ message: name })))
  const secret = text.trim()
  // Its words are in no message, so that it is in no log.
  if (!/^[\u0021-\u007E]+$/.test(secret)) {
    return yield* usageTrouble(`${name}: it is empty, or has blanks and other characters that none has.`)
  }
  return Redacted.make(secret)
})
