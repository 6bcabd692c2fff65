import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { accessSync, constants } from "node:fs"
import { basename } from "node:path"
import { printOne } from "../../app/output.ts"
import { uploadFile } from "../../app/upload.ts"
import { usageTrouble } from "../../app/Trouble.ts"
import { connect } from "../../connection/Connection.ts"
import { whyUnreadable } from "../../app/unreadable.ts"

export const upload = Command.make(
  "upload",
  { path: Argument.String("path") },
  Effect.fnUntraced(function* ({ path }) {
    yield* Effect.try({
      try: () => accessSync(path, constants.R_OK),
      catch: (cause) => usageTrouble(`${path} can't be read: ${whyUnreadable(cause)}.`)
    })
    const { ask } = yield* connect("patient")
    const file = yield* ask((troupe) => uploadFile(troupe, { path, name: basename(path) }))
    yield* printOne(file, ({ id }) => id)
  })
).pipe(Command.withDescription("Uploads a file, and prints its id"))
