import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { listCommand } from "../app/listCommand.ts"
import { printOne } from "../app/output.ts"
import { connect } from "../connection/Connection.ts"
import { readSpec } from "../app/spec.ts"
import { facts } from "../app/facts.ts"

const show = Command.make(
  "show",
  {},
  Effect.fnUntraced(function* () {
    const { ask } = yield* connect()
    yield* printOne(yield* ask(({ policies }) => policies.retrieve()), (found) => JSON.stringify(found, null, 2))
  })
).pipe(Command.withDescription("Shows the policies that are in force, and their version"))

const presets = Command.make("presets").pipe(
  Command.withDescription("What turns may be told to do without asking"),
  Command.withSubcommands([
    listCommand({
      about: "Lists the presets",
      items: ({ policies }) => policies.presets(),
      headings: ["PRESET", "WHAT IT MEANS"],
      row: ({ description, name }) => [name, description],
      none: "There is none."
    })
  ])
)

const check = Command.make(
  "try",
  {
    tool: Argument.String("tool"),
    input: Flag.String("input").pipe(
      Flag.optional,
      Flag.withDescription("What the tool would be called with, as JSON")
    ),
    policies: Flag.String("policies").pipe(
      Flag.optional,
      Flag.withDescription("A file of policies, as YAML or JSON, in the place of those in force")
    )
  },
  Effect.fnUntraced(function* ({ input, policies, tool }) {
    const asked = Option.isSome(input) ? { input: yield* readSpec("--input", input.value) } : {}
    const tried = Option.isSome(policies) ? { policies: yield* readSpec(policies.value) } : {}
    const { ask } = yield* connect()
    const verdict = yield* ask((troupe) => troupe.policies.dryRun({ tool, ...asked, ...tried } as never))
    yield* printOne(verdict, ({ layer, reason, rule, verdict: word }) =>
      facts([
        ["verdict", word],
        ["rule", rule],
        ["layer", layer],
        ["reason", reason]
      ])
    )
  })
).pipe(Command.withDescription("Says what the policies would say of a call, without making it"))

export const policies = Command.make("policies").pipe(
  Command.withDescription("What tools may do"),
  Command.withSubcommands([show, presets, check])
)
