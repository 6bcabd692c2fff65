import { Command } from "effect/cli"
import { approve } from "./turns/approve.ts"
import { list } from "./turns/list.ts"
import { retry } from "./turns/retry.ts"
import { steer } from "./turns/steer.ts"
import { withdraw } from "./turns/withdraw.ts"

export const turns = Command.make("turns").pipe(
  Command.withDescription("What was asked of a session"),
  Command.withSubcommands([list, steer, withdraw, approve, retry])
)
