import { type ApiFailure, invalid } from "@troupe/domain/api/ApiError"
import type { McpAuthorize, McpClient } from "@troupe/domain/api/McpAuthorizations"
import { Effect } from "effect"
import { createPrivateKey } from "node:crypto"
import type { OAuthState } from "./OAuthClient.ts"

const isKey = (pem: string): boolean => {
  try {
    createPrivateKey(pem)
    return pem.includes("BEGIN PRIVATE KEY")
  } catch {
    return false
  }
}

const identityProblem = ({ grant, identity }: McpAuthorize): string | undefined => {
  if ((grant === "cross_app_access") !== (identity !== undefined)) {
    return "identity: goes with the grant cross_app_access, and that with it"
  }
  return identity === undefined || URL.canParse(identity.token_endpoint)
    ? undefined
    : "identity.token_endpoint: is no address"
}

const problemOf = (input: McpAuthorize): string | undefined => {
  const { client, grant = "authorization_code" } = input
  const wrong = identityProblem(input)
  if (wrong !== undefined) return wrong
  const isLogin = grant === "authorization_code"
  if (client === undefined) return isLogin ? undefined : `client: ${grant} is for a registered client`
  const { client_secret, private_key, signing_algorithm, token_endpoint_auth_method: method } = client
  const isSigning = private_key !== undefined
  if (isSigning && client_secret !== undefined) return "client: takes a client_secret or a private_key, not both"
  if (isSigning !== (signing_algorithm !== undefined)) return "client: a private_key goes with its signing_algorithm"
  if (isSigning && !isKey(private_key)) return "client.private_key: is no PKCS #8 key in PEM"
  if (!isLogin && !isSigning && client_secret === undefined) {
    return `client: ${grant} needs a client_secret or a private_key`
  }
  if (method === undefined) return undefined
  const needs = method === "private_key_jwt" ? isSigning : method === "none" ? !isSigning : client_secret !== undefined
  return needs ? undefined : `client.token_endpoint_auth_method: ${method} does not go with what was given`
}

const informationOf = ({ client_id, client_secret, token_endpoint_auth_method: method }: McpClient) => ({
  client_id,
  ...(client_secret === undefined ? {} : { client_secret }),
  ...(method === undefined ? {} : { token_endpoint_auth_method: method })
})

const keyOf = ({ private_key: pem, signing_algorithm: algorithm }: McpClient) =>
  pem === undefined || algorithm === undefined ? null : { pem, algorithm }

/** Where people come back to, and where authorization servers read who we are. */
export interface OurAddresses {
  readonly redirectUrl: string
  readonly clientMetadataUrl: string | null
}

/** The state that a request for an authorization begins with. */
export const asked = (
  url: string,
  input: McpAuthorize,
  scope: string | null,
  { clientMetadataUrl, redirectUrl }: OurAddresses
): Effect.Effect<OAuthState, ApiFailure> => {
  const problem = problemOf(input)
  if (problem !== undefined) return Effect.fail(invalid(problem))
  const { client, grant = "authorization_code", identity } = input
  const isLogin = grant === "authorization_code"
  return Effect.succeed({
    url,
    grant,
    redirectUrl: isLogin ? redirectUrl : null,
    clientMetadataUrl: isLogin ? clientMetadataUrl : null,
    ...(identity === undefined ? {} : { identity }),
    key: client === undefined ? null : keyOf(client),
    client: client === undefined ? null : informationOf(client),
    discovery: null,
    resource: null,
    scope,
    verifier: null,
    tokens: null
  })
}
