import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { specOf } from "../../agents/specOf.ts"
import { Json } from "../../app/globals.ts"
import { agentsByName, findNamed } from "../../app/named.ts"
import { print } from "../../app/output.ts"
import { writeSpec } from "../../app/spec.ts"
import { connect } from "../../connection/Connection.ts"

export const exported = Command.make(
  "export",
  { agent: Argument.String("agent").pipe(Argument.withDescription("Its id or its name")) },
  Effect.fnUntraced(function* ({ agent }) {
    const { ask } = yield* connect()
    const found = yield* ask((troupe) => findNamed(troupe, agentsByName, agent))
    const spec = specOf(found)
    yield* print((yield* Json) ? JSON.stringify(spec) : yield* writeSpec(spec))
  })
).pipe(Command.withDescription("Prints an agent as a file that apply takes: YAML, or JSON with --json"))
