import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { openAsBlob } from "node:fs"
import { basename } from "node:path"
import { printOne } from "../../app/output.ts"
import { usageTrouble } from "../../app/Trouble.ts"
import { connect } from "../../connection/Connection.ts"

export const upload = Command.make(
  "upload",
  { path: Argument.String("path") },
  Effect.fnUntraced(function* ({ path }) {
    const content = yield* Effect.tryPromise({
      try: () => openAsBlob(path),
      catch: (cause) => usageTrouble(`${path} can't be read: ${(cause as Error).message}.`)
    })
    const { ask } = yield* connect("patient")
    const file = yield* ask(({ files }) => files.upload({ name: basename(path), content }))
    yield* printOne(file, ({ id }) => id)
  })
).pipe(Command.withDescription("Uploads a file, and prints its id"))
