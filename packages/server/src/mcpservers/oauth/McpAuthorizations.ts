import type { Actor } from "@troupe/domain/Actor"
import { ApiFailure, invalid } from "@troupe/domain/api/ApiError"
import type { McpAuthorization, McpAuthorizationBegun, McpAuthorize } from "@troupe/domain/api/McpAuthorizations"
import type { McpServerId, WorkspaceId } from "@troupe/domain/Ids"
import { Clock, Context, Effect, Layer } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { Caller } from "../../gateway/Requests.ts"
import type { Minting } from "../../log/Minting.ts"
import type { WorkspaceLog } from "../../log/WorkspaceLog.ts"
import { OutboundHttp } from "../../outbound/OutboundHttp.ts"
import type { MasterKeyUnusable } from "../../secrets/MasterKeys.ts"
import { SecretBox, type SecretSealed } from "../../secrets/SecretBox.ts"
import { makeNotes } from "../../workspace/WorkspaceNotes.ts"
import { McpServers, urlOf } from "../McpServers.ts"
import { asked, type OurAddresses } from "./asked.ts"
import { authorizationOut, connected, issuerOf } from "./Authorization.ts"
import { authorizationRows } from "./AuthorizationRows.ts"
import { begin, endOf, finish, type Returned, union } from "./flow.ts"
import { McpLogins, newTicket } from "./McpLogins.ts"
import type { OAuthFailed } from "./OAuthFailed.ts"
import type { OAuthState } from "./OAuthClient.ts"

type Failure = ApiFailure | SqlError

/** How a login ended, for the person who comes back from it. */
export type Ended =
  | { readonly _tag: "Connected"; readonly server: string; readonly back: string | null }
  | { readonly _tag: "Unknown" }
  | { readonly _tag: "Refused"; readonly detail: string; readonly back: string | null }

/** Who logs in to MCP servers of a workspace's list, by OAuth. Each end of a login is in the workspace's log. */
export class McpAuthorizations extends Context.Service<
  McpAuthorizations,
  {
    readonly find: (workspaceId: WorkspaceId, serverId: McpServerId) => Effect.Effect<McpAuthorization, Failure>
    readonly begin: (
      serverId: McpServerId,
      input: McpAuthorize,
      ours: OurAddresses
    ) => Effect.Effect<McpAuthorizationBegun, Failure | MasterKeyUnusable, Caller>
    readonly end: (
      ticket: string,
      returned: Returned
    ) => Effect.Effect<Ended, SqlError | MasterKeyUnusable | SecretSealed>
    readonly forget: (serverId: McpServerId) => Effect.Effect<McpAuthorization, Failure, Caller>
  }
>()("server/McpAuthorizations") {
  static readonly layer: Layer.Layer<
    McpAuthorizations,
    never,
    SqlClient.SqlClient | SecretBox | OutboundHttp | McpServers | McpLogins | WorkspaceLog | Minting
  > = Layer.effect(
    McpAuthorizations,
    Effect.suspend(() => make)
  )
}

const refused = (server: string) => (failure: OAuthFailed) =>
  new ApiFailure({
    type: "invalid_request_error",
    code: "mcp_authorization_failed",
    message: `The MCP server ${server} can't be logged in to: ${failure.detail}`
  })

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* authorizationRows
  const servers = yield* McpServers
  const logins = yield* McpLogins
  const note = yield* makeNotes
  const outbound = yield* OutboundHttp

  const out = Effect.fnUntraced(function* (serverId: McpServerId) {
    const { isPending, shown } = yield* rows.find(serverId, yield* Clock.currentTimeMillis)
    return authorizationOut(serverId, shown, isPending)
  })

  const find = Effect.fn("McpAuthorizations.find")(function* (workspaceId: WorkspaceId, serverId: McpServerId) {
    yield* servers.find(workspaceId, serverId)
    return yield* out(serverId)
  })

  /** Its tokens are what the server is sent from now on; unless it is gone, or is somewhere else by now. */
  const settle = Effect.fnUntraced(function* (
    { actor, serverId, workspaceId }: { actor: Actor; serverId: McpServerId; workspaceId: WorkspaceId },
    state: OAuthState
  ) {
    const authorizedAt = yield* Clock.currentTimeMillis
    const shown = connected(state, { authorizedAt, expiresAt: yield* endOf(state) })
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        const server = yield* servers.held(workspaceId, serverId)
        if (urlOf(server) !== state.url) return yield* invalid("The MCP server's address has changed meanwhile")
        yield* rows.put({ serverId, workspaceId, state, shown })
        const { grant, scope } = shown
        yield* note(workspaceId, actor, {
          _tag: "McpServerAuthorized",
          serverId,
          grant,
          scope,
          issuer: issuerOf(state)
        })
        return server.name
      })
    )
  })

  /** What was granted stays granted where more is asked for. */
  const scopeOf = Effect.fnUntraced(function* (serverId: McpServerId, { scope }: McpAuthorize) {
    if (scope === undefined) return null
    const { shown } = yield* rows.find(serverId, 0)
    return union(shown?.scope, scope)
  })

  const beginning: McpAuthorizations["Service"]["begin"] = Effect.fn("McpAuthorizations.begin")(
    function* (serverId, input, ours) {
      const { actor, workspaceId } = yield* Caller
      const server = yield* servers.find(workspaceId, serverId)
      const url = urlOf(server)
      if (url === null) return yield* invalid("A stdio server runs in the session's sandbox: nobody logs in there")
      const wanted = yield* asked(url, input, yield* scopeOf(serverId, input), ours)
      const ticket = newTicket()
      const { address, state } = yield* begin(wanted, ticket).pipe(
        Effect.provideService(OutboundHttp, outbound),
        Effect.mapError(refused(server.name))
      )
      if (address === null) yield* settle({ actor, serverId, workspaceId }, state)
      else yield* logins.keep(ticket, { actor, serverId, workspaceId, state, toConsole: input.back_to === "console" })
      return { ...(yield* out(serverId)), authorization_url: address?.href ?? null }
    }
  )

  const end: McpAuthorizations["Service"]["end"] = Effect.fn("McpAuthorizations.end")(
    function* (ticket, returned) {
      const login = yield* logins.take(ticket)
      if (login === null) return { _tag: "Unknown" } as const
      const back = login.toConsole ? `/w/${login.workspaceId}/mcp/${login.serverId}` : null
      return yield* finish(login.state, returned).pipe(
        Effect.provideService(OutboundHttp, outbound),
        Effect.flatMap((state) => settle(login, state)),
        Effect.map((server): Ended => ({ _tag: "Connected", server, back })),
        Effect.catchTags({
          OAuthFailed: ({ detail }) => Effect.succeed<Ended>({ _tag: "Refused", detail, back }),
          ApiFailure: ({ message }) => Effect.succeed<Ended>({ _tag: "Refused", detail: message, back })
        })
      )
    },
    // The code was used: what came of it is kept, whoever stops waiting.
    Effect.uninterruptible
  )

  const forget = Effect.fn("McpAuthorizations.forget")(function* (serverId: McpServerId) {
    const { actor, workspaceId } = yield* Caller
    yield* sql.withTransaction(
      Effect.gen(function* () {
        yield* servers.held(workspaceId, serverId)
        if (!(yield* rows.remove(serverId))) return
        yield* note(workspaceId, actor, { _tag: "McpServerAuthorizationEnded", serverId, reason: "forgotten" })
      })
    )
    return yield* out(serverId)
  })

  return McpAuthorizations.of({ find, begin: beginning, end, forget })
})
