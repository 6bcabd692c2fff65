import { type McpServerId, toUuid, type WorkspaceId } from "@troupe/domain/Ids"
import { Effect, Redacted } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { SecretBox } from "../../secrets/SecretBox.ts"
import type { Shown } from "./Authorization.ts"
import type { OAuthState } from "./OAuthClient.ts"

/** Where the sealed tokens of a server belong. */
export const tokensPlace = (serverId: McpServerId): string => `mcp authorization ${serverId}`

interface Stored {
  readonly serverId: McpServerId
  readonly workspaceId: WorkspaceId
  readonly state: OAuthState
  readonly shown: Shown
}

/** The tokens of MCP servers in the database. With each change goes a new version of what the server is sent. */
export const authorizationRows = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const box = yield* SecretBox

  const sealed = (serverId: McpServerId, state: OAuthState) =>
    Effect.map(box.seal(tokensPlace(serverId), Redacted.make(JSON.stringify(state))), (bytes) => Buffer.from(bytes))

  const opened = (serverId: McpServerId, secret: Uint8Array) =>
    Effect.map(box.open(tokensPlace(serverId), secret), (text) => JSON.parse(Redacted.value(text)) as OAuthState)

  const changed = (serverId: McpServerId) => sql`
    UPDATE mcp_servers SET secret_version = secret_version + 1 WHERE server_id = ${toUuid(serverId)!}`

  /** Within the caller's transaction. */
  const put = Effect.fnUntraced(function* ({ serverId, shown, state, workspaceId }: Stored) {
    const secret = yield* sealed(serverId, state)
    const text = JSON.stringify(shown)
    yield* sql`
      INSERT INTO mcp_authorizations (server_id, workspace_id, shown, secret)
      VALUES (${toUuid(serverId)!}, ${toUuid(workspaceId)!}, ${text}::json, ${secret})
      ON CONFLICT (server_id) DO UPDATE SET shown = excluded.shown, secret = excluded.secret, renewed_until = NULL`
    yield* changed(serverId)
  })

  /** Within the caller's transaction. Whether there was one. */
  const remove = Effect.fnUntraced(function* (serverId: McpServerId) {
    const gone = yield* sql`DELETE FROM mcp_authorizations WHERE server_id = ${toUuid(serverId)!} RETURNING 1`
    yield* sql`DELETE FROM mcp_logins WHERE server_id = ${toUuid(serverId)!}`
    yield* changed(serverId)
    return gone.length > 0
  })

  const find = Effect.fnUntraced(function* (serverId: McpServerId, now: number) {
    const [row] = yield* sql<{ readonly shown: string | null; readonly pending: boolean }>`
      SELECT (SELECT shown::text FROM mcp_authorizations WHERE server_id = ${toUuid(serverId)!}) AS shown,
        EXISTS (SELECT FROM mcp_logins WHERE server_id = ${toUuid(serverId)!} AND expires_at > ${now}) AS pending`
    const { pending, shown } = row!
    return { shown: shown === null ? null : (JSON.parse(shown) as Shown), isPending: pending }
  })

  return { put, remove, find, sealed, opened }
})
