import { Command } from "effect/cli"
import { listCommand } from "../app/listCommand.ts"
import { showCommand } from "../app/showCommand.ts"

const list = listCommand({
  about: "Lists environments",
  items: ({ environments }) => environments.list({ limit: 100 }),
  headings: ["ENVIRONMENT", "NAME", "TYPE", "DESCRIPTION"],
  row: ({ config, description, id, name }) => [id, name, config.type, description],
  none: "There is no environment yet: the first session makes one."
})
const show = showCommand("Shows an environment", ({ environments }, id) => environments.retrieve(id))

export const environments = Command.make("environments").pipe(
  Command.withDescription("Where sessions work: how their sandboxes are made"),
  Command.withSubcommands([list, show])
)
