import { Command } from "effect/cli"
import { add } from "./contexts/add.ts"
import { list } from "./contexts/list.ts"
import { remove } from "./contexts/remove.ts"
import { use } from "./contexts/use.ts"

export const contexts = Command.make("contexts").pipe(
  Command.withDescription("The servers that this person works with, and which one is in use"),
  Command.withSubcommands([list, add, use, remove])
)
