import type { AgentCreate, AgentUpdate } from "@troupe/client"
import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { differences } from "../../agents/differences.ts"
import { findAgent } from "../../agents/findAgent.ts"
import { printOne } from "../../app/output.ts"
import { readObject } from "../../app/spec.ts"
import { usageTrouble } from "../../app/Trouble.ts"
import { connect } from "../../connection/Connection.ts"

export const apply = Command.make(
  "apply",
  { file: Argument.String("file").pipe(Argument.withDescription("YAML or JSON; - reads standard input")) },
  Effect.fnUntraced(function* ({ file }) {
    const spec = yield* readObject(file)
    const { name } = spec
    if (typeof name !== "string") return yield* usageTrouble(`${file} has no name for the agent.`)
    const { ask } = yield* connect()
    const now = yield* ask((troupe) => findAgent(troupe, name))
    if (now === null) {
      const made = yield* ask(({ agents }) => agents.create(spec as unknown as AgentCreate))
      yield* printOne(made, ({ id }) => `${name} is made: ${id}`)
      return
    }
    if (differences(spec, now).length === 0) {
      yield* printOne(now, ({ id, version }) => `${name} is like that already: ${id}, version ${version}`)
      return
    }
    // Only the version that was looked at is changed: another change in between is refused, not undone.
    const body = { ...spec, version: now.version } as unknown as AgentUpdate
    const changed = yield* ask(({ agents }) => agents.update(now.id, body))
    yield* printOne(changed, ({ id, version }) => `${name} is changed: ${id}, version ${version}`)
  })
).pipe(Command.withDescription("Makes the agent that a file describes, or changes the one of that name to it"))
