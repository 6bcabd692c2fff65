import { Effect } from "effect"
import { createWriteStream, renameSync, rmSync, statSync } from "node:fs"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { tellDone } from "./output.ts"
import { counted } from "./progress.ts"
import { exitCodes } from "./exitCodes.ts"
import { Trouble } from "./Trouble.ts"

/** Writes an answer's body to a file, which is there only once it is whole, or to standard output. */
export const save = Effect.fnUntraced(function* (response: Response, file: string | null) {
  yield* write(response, file)
  if (file === null) return
  const { size } = yield* Effect.sync(() => statSync(file))
  yield* tellDone({ file, bytes: size }, `${file} has ${size} bytes.`)
})

const write = (response: Response, file: string | null): Effect.Effect<void, Trouble> =>
  Effect.tryPromise({
    try: async () => {
      const total = Number(response.headers.get("content-length") ?? 0)
      const content = counted(Readable.fromWeb(response.body as never), total)
      if (file === null) {
        for await (const chunk of content) if (!process.stdout.write(chunk)) await drained()
        return
      }
      const part = `${file}.part`
      try {
        await pipeline(content, createWriteStream(part))
        renameSync(part, file)
      } catch (cause) {
        rmSync(part, { force: true })
        throw cause
      }
    },
    catch: (cause) =>
      new Trouble({
        what: `${file ?? "The content"} could not be written: ${(cause as Error).message}.`,
        advice: "Look at the room on the disk and at the connection, and try again.",
        code: exitCodes.failed
      })
  })

const drained = () => new Promise<void>((resolve) => void process.stdout.once("drain", resolve))
