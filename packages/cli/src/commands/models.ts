import { Command } from "effect/cli"
import { listCommand } from "../app/listCommand.ts"
import { ourName } from "../app/NameConfig.ts"

const list = listCommand({
  about: "Lists the models that connected runners can reach",
  items: ({ models }) => models.list(),
  headings: ["MODEL", "NAME"],
  row: ({ display_name, id }) => [id, display_name],
  none: `No runner that is connected reaches a model. ${ourName} doctor looks for the reason.`
})

export const models = Command.make("models").pipe(
  Command.withDescription("Models that can be used"),
  Command.withSubcommands([list])
)
