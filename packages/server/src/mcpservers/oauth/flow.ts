import { Clock, Effect } from "effect"
import { OutboundHttp, type OutboundFetch } from "../../outbound/OutboundHttp.ts"
import { challengeOf } from "./challenge.ts"
import { OAuthClient, type OAuthState, type Vouch } from "./OAuthClient.ts"
import { OAuthFailed, oauthFailed } from "./OAuthFailed.ts"
import { sdk } from "./sdk.ts"

/** Scopes together, each once. */
export const union = (...scopes: ReadonlyArray<string | null | undefined>): string | null => {
  const all = new Set(scopes.flatMap((scope) => (scope ?? "").split(" ").filter((one) => one !== "")))
  return all.size === 0 ? null : [...all].join(" ")
}

const authenticationOf = Effect.fnUntraced(function* ({ client, key }: OAuthState) {
  if (key === null || client === null) return null
  const { createPrivateKeyJwtAuth } = yield* sdk
  const { client_id } = client
  return createPrivateKeyJwtAuth({ issuer: client_id, subject: client_id, privateKey: key.pem, alg: key.algorithm })
})

/** The identity provider is asked by the rules for all addresses that somebody chose. */
const vouchOf = Effect.fnUntraced(function* ({ identity }: OAuthState) {
  const { requestJwtAuthorizationGrant } = yield* sdk
  const { fetch: fetchFn } = yield* OutboundHttp
  const vouch: Vouch = async (to, scope) => {
    if (identity === undefined) throw new Error("there is nobody to vouch for")
    const { client_id: clientId, client_secret: clientSecret, id_token: idToken, token_endpoint } = identity
    const { jwtAuthGrant } = await requestJwtAuthorizationGrant({
      ...to,
      tokenEndpoint: token_endpoint,
      idToken,
      clientId,
      fetchFn,
      ...(clientSecret === undefined ? {} : { clientSecret }),
      ...(scope === undefined ? {} : { scope })
    })
    return jwtAuthGrant
  }
  return vouch
})

const clientOf = Effect.fnUntraced(function* (state: OAuthState, csrf = "") {
  const proofs = { authentication: yield* authenticationOf(state), vouch: yield* vouchOf(state) }
  return new OAuthClient(state, csrf, proofs)
})

const attempt = <A>(client: OAuthClient, work: () => Promise<A>): Effect.Effect<A, OAuthFailed> =>
  Effect.tryPromise({ try: work, catch: (cause) => oauthFailed(cause, client.held) })

/**
 * Whom the MCP server trusts. Where it names nobody, as before there was metadata of protected resources, its own origin is
 * asked; what that calls itself was no promise then, and is not held against it.
 */
const authorities = Effect.fnUntraced(function* (fetchFn: OutboundFetch, state: OAuthState, named: URL | null) {
  const { discoverOAuthServerInfo, IssuerMismatchError } = yield* sdk
  const options = { fetchFn, ...(named === null ? {} : { resourceMetadataUrl: named }) }
  return yield* Effect.tryPromise({
    try: () =>
      discoverOAuthServerInfo(state.url, options).catch(async (cause: unknown) => {
        if (!(cause instanceof IssuerMismatchError)) throw cause
        const found = await discoverOAuthServerInfo(state.url, { ...options, skipIssuerMetadataValidation: true })
        if (found.resourceMetadata !== undefined) throw cause
        return found
      }),
    catch: (cause) => oauthFailed(cause, state)
  })
})

/** Finds out who lets us in. An own client belongs to that authorization server and is shown to no other. */
const discovered = Effect.fnUntraced(function* (fetchFn: OutboundFetch, state: OAuthState) {
  const { asks, resourceMetadataUrl, scope } = yield* challengeOf(fetchFn, state)
  const found = yield* authorities(fetchFn, state, resourceMetadataUrl)
  if (!asks && found.resourceMetadata === undefined && found.authorizationServerMetadata === undefined) {
    return yield* new OAuthFailed({ reason: "unusable", detail: "the MCP server asks nobody to log in" })
  }
  const discovery = {
    ...found,
    ...(resourceMetadataUrl === null ? {} : { resourceMetadataUrl: resourceMetadataUrl.href })
  }
  const issuer = found.authorizationServerMetadata?.issuer ?? found.authorizationServerUrl
  const client = state.client === null ? null : { ...state.client, issuer }
  return { ...state, discovery, client, scope: union(state.scope ?? scope) }
})

const safe = (address: URL, state: OAuthState) =>
  address.protocol === "https:" || (address.protocol === "http:" && new URL(state.url).protocol === "http:")

/** The beginning: the address that a person has to open, or tokens where nobody has to. */
export const begin = Effect.fn("OAuth.begin")(function* (asked: OAuthState, csrf: string) {
  const { auth } = yield* sdk
  const { fetch: fetchFn } = yield* OutboundHttp
  const state = yield* discovered(fetchFn, asked)
  const client = yield* clientOf(state, csrf)
  const scope = state.scope === null ? {} : { scope: state.scope }
  yield* attempt(client, () => auth(client, { serverUrl: state.url, fetchFn, forceReauthorization: true, ...scope }))
  const { address } = client
  if (address !== null && !safe(address, state)) {
    return yield* new OAuthFailed({ reason: "unusable", detail: "people would log in at an address that is not safe" })
  }
  return { state: client.held, address }
})

export interface Returned {
  readonly code: string | null
  readonly iss: string | null
  readonly error: string | null
  readonly description: string | null
}

/** What both requests for tokens say of who asks, and where. */
const endpoint = Effect.fnUntraced(function* (client: OAuthClient) {
  const { fetch: fetchFn } = yield* OutboundHttp
  const { client: clientInformation, discovery, resource } = client.held
  if (discovery === null || clientInformation === null) {
    return yield* new OAuthFailed({ reason: "denied", detail: "the authorization server is not known any more" })
  }
  const { addClientAuthentication } = client
  const { authorizationServerMetadata: metadata, authorizationServerUrl } = discovery
  const options = {
    clientInformation,
    fetchFn,
    ...(metadata === undefined ? {} : { metadata }),
    ...(resource === null ? {} : { resource }),
    ...(addClientAuthentication === undefined ? {} : { addClientAuthentication })
  }
  return { metadata, authorizationServerUrl, options }
})

/** The end of a login: tokens for what the person came back with. */
export const finish = Effect.fn("OAuth.finish")(function* (state: OAuthState, returned: Returned) {
  const { exchangeAuthorization, validateAuthorizationResponseIssuer } = yield* sdk
  const client = yield* clientOf(state)
  const { authorizationServerUrl, metadata, options } = yield* endpoint(client)
  const iss = returned.iss ?? undefined
  const { code, description, error } = returned
  if (code === null) {
    yield* attempt(client, async () =>
      validateAuthorizationResponseIssuer({
        iss,
        expectedIssuer: metadata?.issuer,
        issParameterSupported: metadata?.authorization_response_iss_parameter_supported === true
      })
    )
    return yield* oauthFailed({ code: error ?? "access_denied", message: description ?? "nobody logged in" }, state)
  }
  const tokens = yield* attempt(client, () =>
    exchangeAuthorization(authorizationServerUrl, {
      ...options,
      authorizationCode: code,
      codeVerifier: state.verifier ?? "",
      redirectUri: state.redirectUrl ?? "",
      ...(iss === undefined ? {} : { iss })
    })
  )
  return { ...state, verifier: null, tokens } satisfies OAuthState
})

/** Tokens that come after those of a state, without a person. */
export const renew = Effect.fn("OAuth.renew")(function* (state: OAuthState) {
  const { fetchToken, refreshAuthorization } = yield* sdk
  const client = yield* clientOf(state)
  const { authorizationServerUrl, options } = yield* endpoint(client)
  const { resource, scope } = state
  const refreshToken = state.tokens?.refresh_token
  const {
    clientInformation: _,
    addClientAuthentication: __,
    ...plain
  } = { addClientAuthentication: undefined, ...options }
  if (state.grant !== "authorization_code") {
    const more = { ...(resource === null ? {} : { resource }), ...(scope === null ? {} : { scope }) }
    const tokens = yield* attempt(client, () => fetchToken(client, authorizationServerUrl, { ...plain, ...more }))
    return { ...state, tokens } satisfies OAuthState
  }
  if (refreshToken === undefined) {
    return yield* new OAuthFailed({
      reason: "denied",
      detail: "the tokens have ended, and there is none to renew them with"
    })
  }
  const tokens = yield* attempt(client, () =>
    refreshAuthorization(authorizationServerUrl, { ...options, refreshToken })
  )
  // Where the answer names no scope, it is that of before.
  const kept = tokens.scope ?? state.tokens?.scope
  return { ...state, tokens: { ...tokens, ...(kept === undefined ? {} : { scope: kept }) } } satisfies OAuthState
})

/** When an access token ends, in milliseconds since 1970. */
export const endOf = Effect.fnUntraced(function* ({ tokens }: OAuthState) {
  const seconds = tokens?.expires_in
  return seconds === undefined ? null : (yield* Clock.currentTimeMillis) + seconds * 1_000
})
