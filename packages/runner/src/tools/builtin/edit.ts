import { Effect, Schema } from "effect"
import { say, ToolFailure } from "../Tool.ts"
import type { ToolPlace } from "../ToolPlace.ts"
import { type BuiltIn, objectSchema } from "./BuiltIn.ts"
import { limits } from "./limits.ts"
import { fileFailure, locate, printable, writable } from "./paths.ts"
import { fileKey } from "./write.ts"

const { bytesMax, timeoutMs } = limits.edit

const Input = Schema.Struct({
  file_path: Schema.String,
  old_string: Schema.String,
  new_string: Schema.String,
  replace_all: Schema.optionalKey(Schema.Boolean)
})
type Input = typeof Input.Type

const description = `Replaces a piece of text in a file.

- old_string must be in the file exactly as you give it, spaces and line ends included, and only once: add lines around it until it is unique, or set replace_all to replace every one.
- Nothing is written if it is not found, or found more than once.
- Leave out the line numbers that read shows.`

const inputSchema = objectSchema(
  {
    file_path: { type: "string", minLength: 1, description: "The file to change." },
    old_string: { type: "string", minLength: 1, description: "The text that is there now." },
    new_string: { type: "string", description: "The text to put in its place." },
    replace_all: { type: "boolean", description: "Replace every place where it stands." }
  },
  ["file_path", "old_string", "new_string"]
)

export const edit = (place: ToolPlace): BuiltIn<Input> => ({
  name: "edit",
  description,
  schema: Input,
  inputSchema,
  executor: "sandbox",
  readOnly: false,
  idempotent: false,
  paths: ["file_path"],
  timeoutMs: () => timeoutMs,
  changes: ({ file_path }) => fileKey(place, file_path),
  run: Effect.fnUntraced(function* (input) {
    const { mount, path } = yield* Effect.flatMap(locate(place, input.file_path), writable)
    const { bytes, info } = yield* Effect.mapError(mount.directory.read(path, { bytesMax }), fileFailure)
    const { count, line, result } = yield* replaced(printable(path), yield* asText(printable(path), bytes), input)
    // Only what was read is replaced: a program may have written the file meanwhile.
    const expected = { _tag: "Version", version: info.version } as const
    yield* Effect.mapError(mount.directory.write(path, Buffer.from(result), { expected }), fileFailure)
    const where = count === 1 ? `in one place, at line ${line}` : `in ${count} places`
    return say(`Changed ${printable(path)} ${where}.`, {
      path,
      replacements: count,
      bytes: Buffer.byteLength(result)
    })
  })
})

const asText = (path: string, bytes: Uint8Array): Effect.Effect<string, ToolFailure> =>
  Effect.try({
    try: () => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes),
    catch: () =>
      new ToolFailure({ message: `${path} is not UTF-8 text; edit would damage it. Change it with a program in bash.` })
  })

const replaced = (path: string, before: string, { new_string, old_string, replace_all = false }: Input) => {
  const fail = (message: string) => Effect.fail(new ToolFailure({ message }))
  if (old_string === new_string) return fail("old_string and new_string are the same: nothing would change.")
  const parts = before.split(old_string)
  const count = parts.length - 1
  if (count === 0) return fail(`old_string was not found in ${path}.${hint(before, old_string)}`)
  if (count > 1 && !replace_all) {
    return fail(`old_string is ${count} times in ${path}. Add lines around it to make it unique, or set replace_all.`)
  }
  return Effect.succeed({ count, line: parts[0]!.split("\n").length, result: parts.join(new_string) })
}

const squeezed = (text: string): string => text.replaceAll(/\s+/g, " ")

const hint = (before: string, wanted: string): string =>
  before.includes("\r\n") && before.replaceAll("\r\n", "\n").includes(wanted)
    ? " The file has Windows line ends (\\r\\n)."
    : squeezed(before).includes(squeezed(wanted))
      ? " It is there with other spaces or line ends: read the lines again and copy them exactly."
      : " Read the file again: it may have changed."
