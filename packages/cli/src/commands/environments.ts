import type { Troupe } from "@troupe/client"
import { Command } from "effect/cli"
import { listCommand } from "../app/listCommand.ts"
import { showCommand } from "../app/showCommand.ts"

const environmentsByName = {
  kind: "environment",
  command: "environments",
  all: ({ environments }: Troupe) => environments.list({ limit: 100 }),
  one: ({ environments }: Troupe, id: string) => environments.retrieve(id)
}

const list = listCommand({
  about: "Lists environments",
  items: environmentsByName.all,
  headings: ["ENVIRONMENT", "NAME", "TYPE", "DESCRIPTION"],
  row: ({ config, description, id, name }) => [id, name, config.type, description],
  none: "There is no environment yet: the first session makes one."
})
const show = showCommand("Shows an environment", environmentsByName)

export const environments = Command.make("environments").pipe(
  Command.withDescription("Where sessions work: how their sandboxes are made"),
  Command.withSubcommands([list, show])
)
