import { system } from "@troupe/domain/Actor"
import { type McpServerId, toUuid, type WorkspaceId } from "@troupe/domain/Ids"
import { Context, Effect, Layer, Result, Schedule } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Minting } from "../../log/Minting.ts"
import type { WorkspaceLog } from "../../log/WorkspaceLog.ts"
import { OutboundHttp } from "../../outbound/OutboundHttp.ts"
import { SecretBox } from "../../secrets/SecretBox.ts"
import { makeNotes } from "../../workspace/WorkspaceNotes.ts"
import { connected, ended, type Shown } from "./Authorization.ts"
import { authorizationRows } from "./AuthorizationRows.ts"
import { endOf, renew } from "./flow.ts"

/** Longer than a renewal takes: one that has not ended by then never will. */
const heldForSeconds = 40
const lookEveryMs = 150

interface Claimed {
  readonly secret: Uint8Array
  readonly shown: string
}

/** Keeps tokens of MCP servers fresh. Of all nodes one renews those of a server, since a refresh token is used once. */
export class McpTokens extends Context.Service<
  McpTokens,
  {
    /**
     * Sees to it that something newer than `version` is sent to the server, if there can be: renewed here, or awaited where
     * somebody else is at it. What comes of it is in the database.
     */
    readonly renew: (workspaceId: WorkspaceId, serverId: McpServerId, version: number) => Effect.Effect<void, SqlError>
  }
>()("server/McpTokens") {
  static readonly layer: Layer.Layer<
    McpTokens,
    never,
    SqlClient.SqlClient | SecretBox | OutboundHttp | WorkspaceLog | Minting
  > = Layer.effect(
    McpTokens,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* authorizationRows
  const note = yield* makeNotes
  const outbound = yield* OutboundHttp

  /** The row of a server whose newest version did not work, for as long as one renewal may take. */
  const claim = (workspaceId: WorkspaceId, serverId: McpServerId, version: number) => sql<Claimed>`
    UPDATE mcp_authorizations AS a
    SET renewed_until = clock_timestamp() + make_interval(secs => ${heldForSeconds})
    FROM mcp_servers AS s
    WHERE a.server_id = ${toUuid(serverId)!} AND a.workspace_id = ${toUuid(workspaceId)!}
      AND s.server_id = a.server_id AND s.secret_version = ${version} AND a.shown ->> 'renewable' = 'true' AND (a.renewed_until IS NULL OR a.renewed_until < clock_timestamp())
    RETURNING a.secret, a.shown::text AS shown`

  const isAwaited = (serverId: McpServerId, version: number) =>
    Effect.map(
      sql`
        SELECT FROM mcp_authorizations AS a JOIN mcp_servers AS s ON s.server_id = a.server_id
        WHERE a.server_id = ${toUuid(serverId)!} AND s.secret_version = ${version}
          AND a.shown ->> 'renewable' = 'true' AND a.renewed_until > clock_timestamp()`,
      (found) => found.length > 0
    )

  const letGo = (serverId: McpServerId) =>
    sql`UPDATE mcp_authorizations SET renewed_until = NULL WHERE server_id = ${toUuid(serverId)!}`

  /** Nobody logged in meanwhile, and nobody took it away. */
  const unchanged = Effect.fnUntraced(function* (serverId: McpServerId, version: number) {
    const found = yield* sql`
      SELECT FROM mcp_servers AS s JOIN mcp_authorizations AS a ON a.server_id = s.server_id
      WHERE s.server_id = ${toUuid(serverId)!} AND s.secret_version = ${version} FOR UPDATE`
    return found.length > 0
  })

  const renewed = Effect.fnUntraced(function* (
    workspaceId: WorkspaceId,
    serverId: McpServerId,
    version: number,
    claimed: Claimed
  ) {
    const before = JSON.parse(claimed.shown) as Shown
    const state = yield* rows.opened(serverId, claimed.secret)
    const made = yield* Effect.result(Effect.provideService(renew(state), OutboundHttp, outbound))
    if (Result.isFailure(made)) {
      yield* Effect.logWarning("Tokens of an MCP server were not renewed", made.failure)
      if (made.failure.reason !== "denied") return yield* letGo(serverId)
    }
    const next = Result.isSuccess(made) ? made.success : { ...state, tokens: null }
    const expiresAt = yield* endOf(next)
    const shown = Result.isSuccess(made)
      ? connected(next, { authorizedAt: before.authorizedAt, expiresAt })
      : ended(before, made.failure.detail)
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        if (!(yield* unchanged(serverId, version))) return
        yield* rows.put({ serverId, workspaceId, shown, state: next })
        if (Result.isSuccess(made)) return
        yield* note(workspaceId, system, { _tag: "McpServerAuthorizationEnded", serverId, reason: "refused" })
      })
    )
  })

  const once = Effect.fnUntraced(function* (workspaceId: WorkspaceId, serverId: McpServerId, version: number) {
    const [claimed] = yield* claim(workspaceId, serverId, version)
    if (claimed === undefined) return yield* isAwaited(serverId, version)
    yield* renewed(workspaceId, serverId, version, claimed).pipe(
      Effect.catchTags({
        MasterKeyUnusable: (error) => Effect.logError("Tokens of an MCP server can't be opened", error),
        SecretSealed: (error) => Effect.logError("Tokens of an MCP server can't be opened", error)
      })
    )
    return false
  }, Effect.uninterruptible)

  return McpTokens.of({
    renew: Effect.fn("McpTokens.renew")((workspaceId, serverId, version) =>
      once(workspaceId, serverId, version).pipe(
        Effect.repeat({ schedule: Schedule.spaced(lookEveryMs), while: (isUnderWay) => isUnderWay }),
        Effect.asVoid
      )
    )
  })
})
