import { Command } from "effect/cli"
import { listCommand } from "../app/listCommand.ts"
import { agentsByName } from "../app/named.ts"
import { showCommand } from "../app/showCommand.ts"
import { apply } from "./agents/apply.ts"
import { diff } from "./agents/diff.ts"
import { exported } from "./agents/export.ts"
import { ourName } from "../app/NameConfig.ts"

const list = listCommand({
  about: "Lists agents",
  items: agentsByName.all,
  headings: ["AGENT", "NAME", "VERSION", "MODEL", "DESCRIPTION"],
  row: ({ description, id, model, name, version }) => [id, name, version, model.id, description],
  none: `There is no agent yet. Make one: ${ourName} agents apply FILE`
})
const show = showCommand("Shows an agent as it is", agentsByName)

export const agents = Command.make("agents").pipe(
  Command.withDescription("Who does the work: models with instructions and tools"),
  Command.withSubcommands([list, show, apply, diff, exported])
)
