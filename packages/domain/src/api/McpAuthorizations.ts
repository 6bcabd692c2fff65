import { Schema } from "effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { McpServerId } from "../Ids.ts"
import { anyFailure } from "./ApiError.ts"
import { Name, Text } from "./Common.ts"

/** Scopes as OAuth writes them: words of printable characters with a space between. */
const Scope = Text(4_096).check(Schema.isPattern(/^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/))

export const McpGrant = Schema.Literals(["authorization_code", "client_credentials", "cross_app_access"])
export type McpGrant = typeof McpGrant.Type

/** A client that was registered with the authorization server beforehand. Its secret and its key are never shown. */
export const McpClient = Schema.Struct({
  client_id: Name(2_048),
  client_secret: Schema.optionalKey(Name(8_192)),
  /** PKCS #8 as PEM: the client proves itself by signing (`private_key_jwt`). */
  private_key: Schema.optionalKey(Name(16_384)),
  signing_algorithm: Schema.optionalKey(
    Schema.Literals(["ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"])
  ),
  token_endpoint_auth_method: Schema.optionalKey(
    Schema.Literals(["client_secret_basic", "client_secret_post", "none", "private_key_jwt"])
  )
})
export type McpClient = typeof McpClient.Type

/** A person whom a company's identity provider vouches for: what it gave when they logged in there, and who shows it. */
export const McpIdentity = Schema.Struct({
  /** Of the identity provider: there the proof is exchanged for one that is good for this MCP server alone. */
  token_endpoint: Name(2_048),
  id_token: Name(16_384),
  /** As the identity provider knows us. */
  client_id: Name(2_048),
  client_secret: Schema.optionalKey(Name(8_192))
})
export type McpIdentity = typeof McpIdentity.Type

export const McpAuthorize = Schema.Struct({
  /** `authorization_code`, a person's login, unless it is said. */
  grant: Schema.optionalKey(McpGrant),
  /** Where absent, the node introduces itself: by its client metadata document, else by dynamic registration. */
  client: Schema.optionalKey(McpClient),
  /** With the grant `cross_app_access`. Kept as secrets are, and never shown. */
  identity: Schema.optionalKey(McpIdentity),
  /** What is wanted besides what was granted before; else what the server says that it wants. */
  scope: Schema.optionalKey(Scope),
  /** Where the person is led in the end: a page of its own, unless it is said, or the server's page in the console. */
  back_to: Schema.optionalKey(Schema.Literals(["page", "console"]))
})
export type McpAuthorize = typeof McpAuthorize.Type

export const McpAuthorizationStatus = Schema.Literals(["none", "pending", "connected", "login_required"])
export type McpAuthorizationStatus = typeof McpAuthorizationStatus.Type

/** Whether an MCP server of the list lets the workspace in, by OAuth. No token is ever shown. */
export const McpAuthorization = Schema.Struct({
  type: Schema.Literal("mcp_authorization"),
  server_id: McpServerId,
  status: McpAuthorizationStatus,
  grant: Schema.NullOr(McpGrant),
  scope: Schema.NullOr(Schema.String),
  /** The authorization server. */
  issuer: Schema.NullOr(Schema.String),
  client_id: Schema.NullOr(Schema.String),
  /** When the access token ends, where that was said. */
  expires_at: Schema.NullOr(Schema.String),
  /** Whether another follows it without a person. */
  renewable: Schema.Boolean,
  authorized_at: Schema.NullOr(Schema.String),
  /** Why somebody has to log in again. */
  reason: Schema.NullOr(Schema.String)
}).annotate({ identifier: "McpAuthorization" })
export type McpAuthorization = typeof McpAuthorization.Type

/** The address that a person opens to log in, within ten minutes; null where nobody has to. */
export const McpAuthorizationBegun = Schema.Struct({
  ...McpAuthorization.fields,
  authorization_url: Schema.NullOr(Schema.String)
}).annotate({ identifier: "McpAuthorizationBegun" })
export type McpAuthorizationBegun = typeof McpAuthorizationBegun.Type

const one = { id: McpServerId }

export const authorize = HttpApiEndpoint.post("authorizeMcpServer", "/v1/mcp_servers/:id/authorize", {
  params: one,
  payload: McpAuthorize,
  success: McpAuthorizationBegun,
  error: anyFailure
})
export const retrieve = HttpApiEndpoint.get("retrieveMcpAuthorization", "/v1/mcp_servers/:id/authorization", {
  params: one,
  success: McpAuthorization,
  error: anyFailure
})
export const forget = HttpApiEndpoint.delete("forgetMcpAuthorization", "/v1/mcp_servers/:id/authorization", {
  params: one,
  success: McpAuthorization,
  error: anyFailure
})

export const group = HttpApiGroup.make("mcp_authorizations").add(authorize, retrieve, forget)
