import type { McpAuthorization } from "@troupe/domain/api/McpAuthorizations"
import { timeOf } from "@troupe/domain/api/Page"
import type { McpServerId } from "@troupe/domain/Ids"
import type { OAuthState } from "./OAuthClient.ts"

/** What may be shown of an authorization, as the database has it. */
export interface Shown {
  readonly status: "connected" | "login_required"
  readonly grant: OAuthState["grant"]
  readonly scope: string | null
  readonly issuer: string
  readonly clientId: string | null
  /** Milliseconds since 1970. */
  readonly expiresAt: number | null
  readonly renewable: boolean
  readonly authorizedAt: number
  readonly reason: string | null
}

export const issuerOf = ({ discovery }: OAuthState): string =>
  discovery?.authorizationServerMetadata?.issuer ?? String(discovery?.authorizationServerUrl ?? "")

/** Where the answer names no scope, what was asked for was granted. */
const grantedOf = ({ scope, tokens }: OAuthState): string | null => tokens?.scope ?? scope

export const connected = (
  state: OAuthState,
  at: { readonly authorizedAt: number; readonly expiresAt: number | null }
): Shown => ({
  status: "connected",
  grant: state.grant,
  scope: grantedOf(state),
  issuer: issuerOf(state),
  clientId: state.client?.client_id ?? null,
  ...at,
  renewable: state.grant !== "authorization_code" || state.tokens?.refresh_token !== undefined,
  reason: null
})

export const ended = (shown: Shown, reason: string): Shown => ({
  ...shown,
  status: "login_required",
  renewable: false,
  reason
})

/** As the API answers it. Before anybody has logged in there may be a login under way. */
export const authorizationOut = (serverId: McpServerId, shown: Shown | null, isPending: boolean): McpAuthorization => ({
  type: "mcp_authorization",
  server_id: serverId,
  status: shown?.status ?? (isPending ? "pending" : "none"),
  grant: shown?.grant ?? null,
  scope: shown?.scope ?? null,
  issuer: shown?.issuer ?? null,
  client_id: shown?.clientId ?? null,
  expires_at: shown === null || shown.expiresAt === null ? null : timeOf(shown.expiresAt),
  renewable: shown?.renewable ?? false,
  authorized_at: shown === null ? null : timeOf(shown.authorizedAt),
  reason: shown?.reason ?? null
})
