import { Command } from "effect/cli"
import { listCommand } from "../app/listCommand.ts"
import { agoOf } from "../app/time.ts"
import { create } from "./keys/create.ts"
import { revoke } from "./keys/revoke.ts"
import { tokenState } from "./keys/tokenState.ts"

const list = listCommand({
  about: "Lists keys and other tokens, each by the end of its secret",
  items: ({ tokens }) => tokens.list({ limit: 100 }),
  headings: ["ID", "KIND", "NAME", "HINT", "SCOPES", "STATE", "LAST USED"],
  row: (token, now) => [
    token.id,
    token.kind,
    token.name,
    `…${token.hint}`,
    token.scopes.join(","),
    tokenState(token, now),
    agoOf(token.last_used_at, now)
  ],
  none: "There is no key."
})

export const keys = Command.make("keys").pipe(
  Command.withDescription("Keys of the workspace"),
  Command.withSubcommands([list, create, revoke])
)
