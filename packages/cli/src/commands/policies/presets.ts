import { Command } from "effect/cli"
import { listCommand } from "../../app/listCommand.ts"

const list = listCommand({
  about: "Lists the presets",
  items: ({ policies }) => policies.presets(),
  headings: ["PRESET", "WHAT IT MEANS"],
  row: ({ description, name }) => [name, description],
  none: "There is none."
})

export const presets = Command.make("presets").pipe(
  Command.withDescription("What turns may be told to do without asking"),
  Command.withSubcommands([list])
)
