import { normalPath } from "@troupe/domain/tools/Wildcard"
import { Effect, Schema } from "effect"
import { say, ToolFailure } from "../Tool.ts"
import type { ToolPlace } from "../ToolPlace.ts"
import { type BuiltIn, objectSchema } from "./BuiltIn.ts"
import { limits } from "./limits.ts"
import { fileFailure, locate, printable, writable } from "./paths.ts"

const { bytesMax, timeoutMs } = limits.write

const Input = Schema.Struct({ file_path: Schema.String, content: Schema.String })
type Input = typeof Input.Type

const description = `Writes a file: a new one, or the whole of one that is there. Missing directories are made.

- file_path is absolute, or relative to the working copy.
- The old content is gone. To change a part of a file, use edit.`

const inputSchema = objectSchema(
  {
    file_path: { type: "string", minLength: 1, description: "The file to write." },
    content: { type: "string", description: "All that the file is to hold." }
  },
  ["file_path", "content"]
)

export const write = (place: ToolPlace): BuiltIn<Input> => ({
  name: "write",
  description,
  schema: Input,
  inputSchema,
  executor: "sandbox",
  readOnly: false,
  idempotent: false,
  paths: ["file_path"],
  timeoutMs: () => timeoutMs,
  changes: ({ file_path }) => fileKey(place, file_path),
  run: Effect.fnUntraced(function* ({ content, file_path }) {
    const { mount, path } = yield* Effect.flatMap(locate(place, file_path), writable)
    const bytes = Buffer.from(content)
    if (bytes.length > bytesMax) {
      return yield* new ToolFailure({
        message: `The content has ${bytes.length} bytes; at most ${bytesMax} can be written at once.`
      })
    }
    const isNew = yield* mount.directory.stat(path).pipe(
      Effect.as(false),
      Effect.catch((error) => (error.reason._tag === "NotFound" ? Effect.succeed(true) : Effect.succeed(false)))
    )
    yield* Effect.mapError(mount.directory.write(path, bytes, { parents: true }), fileFailure)
    const done = isNew ? "Created" : "Replaced"
    return say(`${done} ${printable(path)} (${bytes.length} bytes).`, { path, bytes: bytes.length, created: isNew })
  })
})

/** Calls that change the same file wait for each other. */
export const fileKey = (place: ToolPlace, path: string): string => `file:${normalPath(path, place.workspace)}`
