import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { save } from "../../app/save.ts"
import { connect } from "../../connection/Connection.ts"

export const download = Command.make(
  "download",
  {
    id: Argument.String("id"),
    to: Flag.String("to").pipe(Flag.optional, Flag.withDescription("The file to write; else standard output"))
  },
  Effect.fnUntraced(function* ({ id, to }) {
    const { ask } = yield* connect("patient")
    const response = yield* ask(({ files }) => files.download(id))
    yield* save(response, Option.getOrNull(to))
  })
).pipe(Command.withDescription("Downloads a file's content"))
