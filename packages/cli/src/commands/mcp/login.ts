import type { McpAuthorization, McpAuthorize } from "@troupe/client"
import { Effect, Option, Schedule } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { readFileSync } from "node:fs"
import { findNamed } from "../../app/named.ts"
import { printOne } from "../../app/output.ts"
import { exitCodes } from "../../app/exitCodes.ts"
import { Trouble, usageTrouble } from "../../app/Trouble.ts"
import { type Connection, connect } from "../../connection/Connection.ts"
import { say } from "../../up/Talk.ts"
import { serversByName } from "./serversByName.ts"
import { whyUnreadable } from "../../app/unreadable.ts"

const lookEveryMs = 1_000
/** As long as an address to log in at is good. */
const waitsMs = 600_000

const clientIn = (file: string) =>
  Effect.try({
    try: () => JSON.parse(readFileSync(file, "utf8")) as NonNullable<McpAuthorize["client"]>,
    catch: (cause) => usageTrouble(`${file} can't be read as JSON: ${whyUnreadable(cause)}.`)
  })

const tooLate = new Trouble({
  what: "Nobody has logged in within ten minutes.",
  advice: "Begin again, and open the address that is shown then.",
  code: exitCodes.refused
})

/** Another login may be what ends this one: what counts is that there is a newer one than before. */
const connectedSince = ({ ask }: Connection, id: string, before: string | null) =>
  ask(({ mcpServers }) => mcpServers.authorization(id)).pipe(
    Effect.repeat({
      schedule: Schedule.spaced(lookEveryMs),
      until: ({ authorized_at, status }: McpAuthorization) => status === "connected" && authorized_at !== before
    }),
    Effect.timeoutOrElse({ duration: waitsMs, orElse: () => tooLate })
  )

export const login = Command.make(
  "login",
  {
    server: Argument.String("MCP server").pipe(Argument.withDescription("Its id or its name")),
    scope: Flag.String("scope").pipe(
      Flag.optional,
      Flag.withDescription("What is wanted besides what was granted before, as the session's error says it")
    ),
    client: Flag.String("client").pipe(
      Flag.optional,
      Flag.withDescription(
        "A JSON file with a client that was registered there: client_id, and client_secret or private_key"
      )
    ),
    credentials: Flag.Boolean("credentials").pipe(
      Flag.withDefault(false),
      Flag.withDescription("As that client itself, and for nobody: nobody has to log in")
    )
  },
  Effect.fnUntraced(function* ({ client, credentials, scope, server: named }) {
    const connection = yield* connect("patient")
    const { id, name } = yield* connection.ask((troupe) => findNamed(troupe, serversByName, named))
    const input: McpAuthorize = {
      ...(Option.isSome(client) ? { client: yield* clientIn(client.value) } : {}),
      ...(Option.isSome(scope) ? { scope: scope.value } : {}),
      ...(credentials ? { grant: "client_credentials" } : {})
    }
    const { authorization_url: address, authorized_at } = yield* connection.ask(({ mcpServers }) =>
      mcpServers.authorize(id, input)
    )
    if (address !== null) yield* say(`Open this address and log in; this command waits for it:\n${address}`)
    const before = address === null ? null : authorized_at
    const authorization = yield* connectedSince(connection, id, before)
    yield* printOne(authorization, () => `Agents may use ${name} now.`)
  })
).pipe(Command.withDescription("Logs in to an MCP server of the list"))
