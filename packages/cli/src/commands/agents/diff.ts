import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { differences } from "../../agents/differences.ts"
import { findAgent } from "../../agents/findAgent.ts"
import { leaveWith, printList } from "../../app/output.ts"
import { readObject } from "../../app/spec.ts"
import { connect } from "../../connection/Connection.ts"

const shown = (value: unknown) => (value === undefined ? "nothing" : JSON.stringify(value))

export const diff = Command.make(
  "diff",
  { file: Argument.String("file").pipe(Argument.withDescription("YAML or JSON; - reads standard input")) },
  Effect.fnUntraced(function* ({ file }) {
    const spec = yield* readObject(file)
    const { ask } = yield* connect()
    const now = yield* ask((troupe) => findAgent(troupe, String(spec["name"])))
    const found = differences(spec, now ?? {})
    yield* printList(found, {
      headings: ["WHERE", "IS", "WOULD BE"],
      row: ({ now, path, wanted }) => [path, shown(now), shown(wanted)],
      none: `${String(spec["name"])} is what the file says.`
    })
    yield* leaveWith(found.length === 0 ? 0 : 1)
  })
).pipe(Command.withDescription("Says what apply would change. Exit codes: 0 nothing, 1 something"))
