import { Effect } from "effect"
import type { OutboundFetch } from "../../outbound/OutboundHttp.ts"
import { OAuthFailed, oauthFailed } from "./OAuthFailed.ts"
import type { OAuthState } from "./OAuthClient.ts"
import { sdk } from "./sdk.ts"

export interface Challenge {
  /** Whether it asks for credentials at all. */
  readonly asks: boolean
  readonly scope: string | null
  readonly resourceMetadataUrl: URL | null
}

const hello = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "troupe", version: "0.1.0" } }
})

const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" }

/** What an MCP server says that it wants of somebody who comes with nothing. */
export const challengeOf = Effect.fnUntraced(function* (
  fetch: OutboundFetch,
  state: OAuthState
): Effect.fn.Return<Challenge, OAuthFailed> {
  const { extractWWWAuthenticateParams } = yield* sdk
  const response = yield* Effect.tryPromise({
    try: () => fetch(state.url, { method: "POST", headers, body: hello }),
    catch: (cause) => oauthFailed(cause, state)
  })
  if (response.status >= 500) {
    return yield* new OAuthFailed({ reason: "unreachable", detail: `the MCP server answers ${response.status}` })
  }
  const asks = response.status === 401 || response.status === 403
  const { resourceMetadataUrl = null, scope = null } = asks ? extractWWWAuthenticateParams(response) : {}
  return { asks, scope, resourceMetadataUrl }
})
