import { text } from "@troupe/domain/session/Content"
import { Effect, Schema } from "effect"
import { ToolFailure, type ToolOutput } from "../Tool.ts"
import type { ToolPlace } from "../ToolPlace.ts"
import { type BuiltIn, objectSchema } from "./BuiltIn.ts"
import { isBinary, mediaTypeOf } from "./fileKinds.ts"
import { LineReader } from "./LineReader.ts"
import { limits } from "./limits.ts"
import { fileFailure, type Located, locate, printable } from "./paths.ts"

const { imageBytesMax, lineLengthMax, linesMax, pdfBytesMax, textBytesMax, timeoutMs } = limits.read

const Input = Schema.Struct({
  file_path: Schema.String,
  view_range: Schema.optionalKey(Schema.Tuple([Schema.Int, Schema.Int]))
})
type Input = typeof Input.Type

const description = `Reads a file. Text comes with line numbers, a tab after each; images and PDFs come as what they are.

- file_path is absolute, or relative to the working copy.
- Without view_range you get the first ${linesMax} lines. view_range: [first, last] gives other lines, counted from 1; last may be -1 for the end of the file.
- Lines longer than ${lineLengthMax} characters are cut. The line numbers are not part of the file: leave them out of what you give to edit.
- Directories and binary files are refused: use glob, or bash with file, strings or xxd.`

const inputSchema = objectSchema(
  {
    file_path: { type: "string", minLength: 1, description: "The file to read." },
    view_range: {
      type: "array",
      items: { type: "integer" },
      minItems: 2,
      maxItems: 2,
      description: "First and last line, from 1; -1 as last means the end."
    }
  },
  ["file_path"]
)

export const read = (place: ToolPlace): BuiltIn<Input> => ({
  name: "read",
  description,
  schema: Input,
  inputSchema,
  executor: "sandbox",
  readOnly: true,
  idempotent: true,
  paths: ["file_path"],
  timeoutMs: () => timeoutMs,
  run: Effect.fnUntraced(function* ({ file_path, view_range }) {
    const located = yield* locate(place, file_path)
    const start = yield* bytesOf(located, 0, headBytes)
    const mediaType = mediaTypeOf(start.bytes)
    if (mediaType !== null) return yield* media(located, mediaType, start.info.size)
    if (isBinary(start.bytes)) {
      return yield* new ToolFailure({
        message: `${printable(located.path)} is a binary file of ${start.info.size} bytes. Look at it with file, strings or xxd in bash.`
      })
    }
    return yield* lines(located, start.info.size, view_range)
  })
})

const headBytes = 8_192
const pieceBytes = 1_048_576

const bytesOf = ({ mount, path }: Located, offset: number, length: number) =>
  Effect.mapError(mount.directory.read(path, { offset, length }), fileFailure)

const media = Effect.fnUntraced(function* (located: Located, mediaType: string, size: number) {
  const isPdf = mediaType === "application/pdf"
  const bytesMax = isPdf ? pdfBytesMax : imageBytesMax
  if (size > bytesMax) {
    return yield* new ToolFailure({
      message: `${printable(located.path)} is ${mediaType} of ${size} bytes; at most ${bytesMax} can be shown. Make it smaller first.`
    })
  }
  const { bytes } = yield* bytesOf(located, 0, bytesMax)
  const source = { type: "base64", mediaType, data: Buffer.from(bytes).toString("base64") } as const
  const details = { path: located.path, mediaType, bytes: bytes.length }
  const name = located.path.split("/").at(-1) ?? located.path
  return {
    content: [isPdf ? { type: "document", source, title: name } : { type: "image", source }],
    details
  } satisfies ToolOutput
})

const lines = Effect.fnUntraced(function* (located: Located, size: number, range: Input["view_range"]) {
  const [first, last] = range ?? [1, linesMax]
  if (first < 1 || (last !== -1 && last < first)) {
    return yield* new ToolFailure({
      message: `view_range [${first}, ${last}] is not a range: count from 1, first before last.`
    })
  }
  const reader = new LineReader({ first, last: last === -1 ? Infinity : last, lineLengthMax, textBytesMax })
  for (let offset = 0; offset < size && !reader.isDone; offset += pieceBytes) {
    const { bytes } = yield* bytesOf(located, offset, pieceBytes)
    reader.take(bytes)
    if (bytes.length < pieceBytes) break
  }
  const { cutAt, hasMore, lines: found, seen } = reader.end()
  const details = { path: located.path, bytes: size, lines: found.length, truncated: hasMore || cutAt !== null }
  if (size === 0) return { content: text("(The file is empty.)"), details } satisfies ToolOutput
  if (found.length === 0 && cutAt === null) {
    return yield* new ToolFailure({
      message: `${printable(located.path)} has ${seen} lines; line ${first} is not there.`
    })
  }
  const shown = found.map((line, index) => `${String(first + index).padStart(6)}\t${line}`).join("\n")
  const next = first + found.length
  const note =
    cutAt !== null
      ? `\n[Cut at ${textBytesMax} bytes. Go on with view_range: [${next}, -1].]`
      : hasMore && (range === undefined || last === -1)
        ? `\n[There is more. Go on with view_range: [${next}, ${next + linesMax - 1}].]`
        : ""
  return { content: text(shown + note), details } satisfies ToolOutput
})
