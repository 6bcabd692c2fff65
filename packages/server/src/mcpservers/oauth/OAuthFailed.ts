import { EgressRefused } from "@troupe/domain/network/Refusal"
import { Schema } from "effect"
import { OutboundFailed } from "../../outbound/OutboundHttp.ts"
import type { OAuthState } from "./OAuthClient.ts"

/** An authorization server, or the MCP server before it, did not do what was asked. Details quote it, shortened. */
export class OAuthFailed extends Schema.TaggedError<OAuthFailed>()("OAuthFailed", {
  /** `denied`: it said no, and will again. `unusable`: it can't be used so. `unreachable`: it may work later. */
  reason: Schema.Literals(["denied", "unusable", "unreachable"]),
  detail: Schema.String
}) {
  override get message() {
    return this.detail
  }
}

const detailMax = 400
/** How the official client tells what an identity provider answered. */
const vouchedNot = /^Token exchange failed: ([a-z_]+)/
/** Answers that another try would get again. */
const denials: ReadonlySet<string> = new Set([
  "access_denied",
  "invalid_client",
  "invalid_grant",
  "invalid_request",
  "invalid_scope",
  "invalid_target",
  "unauthorized_client",
  "unsupported_grant_type"
])

/** What nobody is to read in an error, whoever repeats it. */
const secretsOf = ({ client, identity, key, tokens, verifier }: OAuthState): ReadonlyArray<string> =>
  [
    client?.client_secret,
    key?.pem,
    tokens?.access_token,
    tokens?.refresh_token,
    verifier,
    identity?.id_token,
    identity?.client_secret
  ].flatMap((secret) => (typeof secret === "string" && secret.length > 3 ? [secret] : []))

const shortened = (text: string, state: OAuthState): string =>
  secretsOf(state)
    .reduce((said, secret) => said.replaceAll(secret, "[secret]"), text)
    .replaceAll(/[\p{Cc}\s]+/gu, " ")
    .slice(0, detailMax)
    .toWellFormed()

/** A failure of the SDK's in our words. */
export const oauthFailed = (cause: unknown, state: OAuthState): OAuthFailed => {
  if (cause instanceof OAuthFailed) return cause
  if (cause instanceof EgressRefused) return new OAuthFailed({ reason: "unusable", detail: cause.message })
  if (cause instanceof OutboundFailed) return new OAuthFailed({ reason: "unreachable", detail: cause.message })
  const { code, message } = cause as { readonly code?: unknown; readonly message?: string }
  const said = shortened(message ?? String(cause), state)
  if (typeof code === "string" && denials.has(code)) {
    return new OAuthFailed({ reason: "denied", detail: `the authorization server says ${code}: ${said}` })
  }
  const refused = vouchedNot.exec(said)?.[1]
  if (refused !== undefined && denials.has(refused)) {
    return new OAuthFailed({ reason: "denied", detail: `the identity provider says ${refused}: ${said}` })
  }
  const isTheirs = code === "server_error" || code === "temporarily_unavailable" || /^HTTP 5\d\d/.test(said)
  return new OAuthFailed({ reason: isTheirs ? "unreachable" : "unusable", detail: said })
}
