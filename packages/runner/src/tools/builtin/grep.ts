import { text } from "@troupe/domain/session/Content"
import { Effect, Stream } from "effect"
import { ToolFailure, type ToolOutput } from "../Tool.ts"
import type { ToolPlace } from "../ToolPlace.ts"
import { OutputCollector } from "../shell/OutputCollector.ts"
import { type BuiltIn, objectSchema } from "./BuiltIn.ts"
import { fallbackProblem, grepCommand, GrepInput, rgCommand } from "./grepCommands.ts"
import { limits } from "./limits.ts"
import { locate, printable } from "./paths.ts"
import { RecordReader } from "./RecordReader.ts"

const { headBytes, headLimit, headLimitMax, tailBytes, timeoutMs } = limits.grep

const description = `Searches the content of files with ripgrep.

- pattern is a regular expression as ripgrep has it: escape { and } and other signs that are meant as they are.
- output_mode: files_with_matches (the default) gives paths, content gives the lines as path:line:text, count gives path:count.
- Narrow it with path (a file or a directory), glob ("*.ts", "src/**") and type ("js", "py", "rust").
- For content: -A, -B and -C give lines after, before and around; -n: false leaves out line numbers. -i ignores case.
- multiline: true lets a pattern go over line ends.
- You get the first ${headLimit} results; head_limit changes that. What .gitignore names, hidden and binary files are left out.`

const count = { type: "integer", minimum: 0, maximum: 1_000 } as const

const inputSchema = objectSchema(
  {
    pattern: { type: "string", minLength: 1, maxLength: 10_000, description: "The regular expression." },
    path: { type: "string", minLength: 1, description: "File or directory to search; the working copy if absent." },
    output_mode: { type: "string", enum: ["content", "files_with_matches", "count"] },
    glob: { type: "string", minLength: 1, description: "Only files whose names fit." },
    type: { type: "string", pattern: "^[a-z0-9]+$", description: "Only files of this type." },
    "-i": { type: "boolean", description: "Ignore case." },
    "-n": { type: "boolean", description: "Line numbers; true if absent." },
    "-A": { ...count, description: "Lines after each match." },
    "-B": { ...count, description: "Lines before each match." },
    "-C": { ...count, description: "Lines around each match." },
    multiline: { type: "boolean", description: "Let . match line ends, and patterns go over them." },
    head_limit: { type: "integer", minimum: 1, maximum: headLimitMax, description: "How many results." }
  },
  ["pattern"]
)

export const grep = (place: ToolPlace): BuiltIn<GrepInput> => ({
  name: "grep",
  description,
  schema: GrepInput,
  inputSchema,
  executor: "sandbox",
  readOnly: true,
  idempotent: true,
  paths: ["path"],
  timeoutMs: () => timeoutMs,
  run: Effect.fnUntraced(function* (input) {
    const { path } = yield* locate(place, input.path ?? ".")
    if (input.pattern.includes("\0"))
      return yield* new ToolFailure({ message: "A pattern can't have a NUL character." })
    const found = yield* search(place, rgCommand(input, path), input)
    if (found._tag === "Found") return outputOf(found, input)
    const problem = fallbackProblem(input)
    if (problem !== null) return yield* new ToolFailure({ message: problem })
    const again = yield* search(place, grepCommand(input, path), input)
    if (again._tag === "Found") return outputOf(again, input)
    return yield* new ToolFailure({ message: "This sandbox has neither rg nor grep." })
  })
})

interface Found {
  readonly _tag: "Found"
  readonly records: ReadonlyArray<string>
  readonly hasMore: boolean
}

/** `Missing`: the sandbox has no such program. */
const search = (place: ToolPlace, command: readonly [string, ...ReadonlyArray<string>], input: GrepInput) =>
  Effect.gen(function* () {
    const process = yield* place.exec({ command, timeoutMs })
    const reader = new RecordReader(kindOf(input), input.head_limit ?? headLimit, headBytes)
    const complaints = new OutputCollector({ headBytes: 2_000, tailBytes }, Effect.never)
    yield* process.output.pipe(
      Stream.mapEffect(({ bytes, stream }) =>
        stream === "stdout" ? Effect.sync(() => reader.take(bytes)) : Effect.sync(() => complaints.keep(bytes))
      ),
      // Enough is enough: what is still searching ends with the scope.
      Stream.takeUntil(() => reader.isFull),
      Stream.runDrain
    )
    if (reader.isFull) return { _tag: "Found", records: reader.records, hasMore: true } as const
    const ending = yield* process.ending
    reader.end()
    if (ending._tag === "Exited") {
      if (ending.code === 127) return { _tag: "Missing" } as const
      // 2 with results: some files could not be read, the others were.
      if (ending.code < 2 || reader.records.length > 0) {
        return { _tag: "Found", records: reader.records, hasMore: reader.isFull } as const
      }
    }
    const said = complaints.result().text.trim()
    const why =
      ending._tag === "TimedOut" ? `It took longer than ${timeoutMs} ms. Narrow it with path, glob or type.` : said
    return yield* new ToolFailure({ message: why === "" ? `The search failed (${ending._tag}).` : why })
  }).pipe(
    Effect.scoped,
    Effect.catchTag("SandboxError", (error) =>
      error.reason._tag === "Failed" && /ENOENT|not found/i.test(error.reason.detail)
        ? Effect.succeed({ _tag: "Missing" } as const)
        : Effect.fail(new ToolFailure({ message: `The search could not be started: ${error.message}` }))
    )
  )

const outputOf = ({ hasMore, records }: Found, input: GrepInput): ToolOutput => {
  // grep also counts the files in which there is nothing.
  const found = input.output_mode === "count" ? records.filter((record) => !record.endsWith("\0" + "0")) : records
  const details = { results: found.length, truncated: hasMore }
  if (found.length === 0) return { content: text("No matches."), details }
  const shown = found.map(lineOf).join("\n")
  const note = hasMore
    ? `\n[There is more. Narrow the search, or raise head_limit above ${input.head_limit ?? headLimit}.]`
    : ""
  return { content: text(shown + note), details }
}

const kindOf = (input: GrepInput) =>
  (input.output_mode ?? "files_with_matches") === "files_with_matches" ? "names" : "lines"

/** As the programs would have written it, had they not put a NUL behind the name. */
const lineOf = (record: string): string => {
  const at = record.indexOf("\0")
  if (at < 0) return record === "--" ? record : printable(record)
  const line = record.slice(at + 1)
  const joint = /^\d+([:-])/.exec(line)?.[1] ?? ":"
  return `${printable(record.slice(0, at))}${joint}${line}`
}
