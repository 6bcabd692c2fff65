import { Command } from "effect/cli"
import { presets } from "./policies/presets.ts"
import { show } from "./policies/show.ts"
import { check } from "./policies/try.ts"

export const policies = Command.make("policies").pipe(
  Command.withDescription("What tools may do"),
  Command.withSubcommands([show, presets, check])
)
