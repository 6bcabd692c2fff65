import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { facts } from "../../app/facts.ts"
import { printOne } from "../../app/output.ts"
import { readSpec } from "../../app/spec.ts"
import { connect } from "../../connection/Connection.ts"

export const check = Command.make(
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
