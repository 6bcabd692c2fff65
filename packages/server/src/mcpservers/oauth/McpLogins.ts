import { Actor } from "@troupe/domain/Actor"
import { fromUuid, McpServerId, prefixes, toUuid, WorkspaceId } from "@troupe/domain/Ids"
import { Clock, Context, Effect, Layer, Redacted, Schema } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { hash, randomBytes } from "node:crypto"
import type { MasterKeyUnusable } from "../../secrets/MasterKeys.ts"
import { SecretBox, type SecretSealed } from "../../secrets/SecretBox.ts"
import type { OAuthState } from "./OAuthClient.ts"

export const loginMs = 600_000
/** Logins of one server that are under way side by side: of more, the oldest are forgotten. */
const atOnceMax = 16

export interface Login {
  readonly workspaceId: WorkspaceId
  readonly serverId: McpServerId
  /** Who began it: it ends as theirs. */
  readonly actor: Actor
  readonly state: OAuthState
  /** Whether the person is led to the server's page in the console in the end. */
  readonly toConsole: boolean
}

/** Logins under way. What comes back with the person is the key to one, once. */
export class McpLogins extends Context.Service<
  McpLogins,
  {
    readonly keep: (ticket: string, login: Login) => Effect.Effect<void, SqlError | MasterKeyUnusable>
    /** Null where there is none, or none any more. */
    readonly take: (ticket: string) => Effect.Effect<Login | null, SqlError | MasterKeyUnusable | SecretSealed>
  }
>()("server/McpLogins") {
  static readonly layer: Layer.Layer<McpLogins, never, SqlClient.SqlClient | SecretBox> = Layer.effect(
    McpLogins,
    Effect.suspend(() => make)
  )
}

/** What nobody guesses, for the address that a person opens. */
export const newTicket = (): string => randomBytes(32).toString("base64url")

const digestOf = (ticket: string) => Buffer.from(hash("sha256", `troupe mcp login\n${ticket}`, "hex"), "hex")
const placeOf = (digest: Buffer) => `mcp login ${digest.toString("hex")}`

const decodeActor = Schema.decodeUnknownEffect(Actor)

interface Row {
  readonly server: string
  readonly workspace: string
  readonly secret: Uint8Array
  readonly expiresAt: number
}

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const box = yield* SecretBox

  const keep: McpLogins["Service"]["keep"] = Effect.fn("McpLogins.keep")(function* (ticket, login) {
    const { actor, serverId, state, toConsole, workspaceId } = login
    const digest = digestOf(ticket)
    const now = yield* Clock.currentTimeMillis
    const sealed = yield* box.seal(placeOf(digest), Redacted.make(JSON.stringify({ actor, state, toConsole })))
    const id = toUuid(serverId)!
    yield* sql`DELETE FROM mcp_logins WHERE expires_at <= ${now}`
    yield* sql`
      DELETE FROM mcp_logins WHERE server_id = ${id} AND state_digest NOT IN (
        SELECT state_digest FROM mcp_logins WHERE server_id = ${id} ORDER BY expires_at DESC LIMIT ${atOnceMax - 1})`
    yield* sql`
      INSERT INTO mcp_logins (state_digest, server_id, workspace_id, secret, expires_at)
      VALUES (${digest}, ${id}, ${toUuid(workspaceId)!}, ${Buffer.from(sealed)}, ${now + loginMs})`
  })

  const take: McpLogins["Service"]["take"] = Effect.fn("McpLogins.take")(function* (ticket) {
    const digest = digestOf(ticket)
    const [row] = yield* sql<Row>`
      DELETE FROM mcp_logins WHERE state_digest = ${digest}
      RETURNING server_id AS server, workspace_id AS workspace, secret, expires_at::float8 AS "expiresAt"`
    if (row === undefined || row.expiresAt <= (yield* Clock.currentTimeMillis)) return null
    const text = Redacted.value(yield* box.open(placeOf(digest), row.secret))
    const { actor, state, toConsole } = JSON.parse(text) as {
      readonly actor: unknown
      readonly state: OAuthState
      readonly toConsole: boolean
    }
    return {
      workspaceId: WorkspaceId.make(fromUuid(prefixes.Workspace, row.workspace)),
      serverId: McpServerId.make(fromUuid(prefixes.McpServer, row.server)),
      actor: yield* Effect.orDie(decodeActor(actor)),
      state,
      toConsole
    }
  })

  return McpLogins.of({ keep, take })
})
