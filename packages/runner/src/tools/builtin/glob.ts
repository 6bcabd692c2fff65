import { text } from "@troupe/domain/session/Content"
import { Effect, Schema } from "effect"
import type { ToolOutput } from "../Tool.ts"
import type { ToolPlace } from "../ToolPlace.ts"
import { type BuiltIn, objectSchema } from "./BuiltIn.ts"
import { limits } from "./limits.ts"
import { fileFailure, locate, printable } from "./paths.ts"

const { bytesMax, filesMax, timeoutMs } = limits.glob

const Input = Schema.Struct({ pattern: Schema.String, path: Schema.optionalKey(Schema.String) })
type Input = typeof Input.Type

const description = `Finds files by name. Gives their paths, newest first, at most ${filesMax}.

- Patterns: * any characters of one name, ** any directories, ? one character, [a-z], {a,b}. Example: src/**/*.{ts,tsx}
- path is the directory to look in; without it, the working copy.
- Files that .gitignore names and the .git directory are left out, unless path is inside of them.`

const inputSchema = objectSchema(
  {
    pattern: { type: "string", minLength: 1, description: "Which files, below path." },
    path: { type: "string", minLength: 1, description: "The directory to look in." }
  },
  ["pattern"]
)

export const glob = (place: ToolPlace): BuiltIn<Input> => ({
  name: "glob",
  description,
  schema: Input,
  inputSchema,
  executor: "sandbox",
  readOnly: true,
  idempotent: true,
  paths: ["path"],
  timeoutMs: () => timeoutMs,
  run: Effect.fnUntraced(function* ({ path = ".", pattern }) {
    const from = pattern.startsWith("/") ? pattern : path
    const { mount, path: directory } = yield* locate(place, from)
    const options = { ignore: "git", limit: filesMax, ...(pattern.startsWith("/") ? {} : { path: directory }) } as const
    const { entries, isComplete } = yield* Effect.mapError(mount.directory.glob(pattern, options), fileFailure)
    const details = { path: directory, files: entries.length, truncated: !isComplete }
    if (entries.length === 0) return { content: text(`No files match ${pattern}.`), details } satisfies ToolOutput
    const shown = fitting(entries.map((entry) => printable(entry.path)))
    const isAll = isComplete && shown.length === entries.length
    const note = isAll ? "" : `\n[Not all of them: narrow the pattern or the path.]`
    return {
      content: text(shown.join("\n") + note),
      details: { ...details, truncated: !isAll }
    } satisfies ToolOutput
  })
})

/** As many as an answer holds. */
const fitting = (lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  let bytes = 0
  return lines.filter((line) => (bytes += Buffer.byteLength(line) + 1) <= bytesMax)
}
