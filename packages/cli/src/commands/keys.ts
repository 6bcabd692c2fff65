import { Command } from "effect/cli"
import { listCommand } from "../app/listCommand.ts"
import { create } from "./keys/create.ts"
import { revoke } from "./keys/revoke.ts"

const list = listCommand({
  about: "Lists keys and other tokens, each by the end of its secret",
  items: ({ tokens }) => tokens.list({ limit: 100 }),
  headings: ["ID", "KIND", "NAME", "HINT", "SCOPES", "STATE", "LAST USED"],
  row: ({ expires_at, hint, id, kind, last_used_at, name, revoked_at, scopes }) => [
    id,
    kind,
    name,
    `…${hint}`,
    scopes.join(","),
    revoked_at === null ? (expires_at === null ? "holds" : `until ${expires_at}`) : "revoked",
    last_used_at
  ],
  none: "There is no key."
})

export const keys = Command.make("keys").pipe(
  Command.withDescription("Keys of the workspace"),
  Command.withSubcommands([list, create, revoke])
)
