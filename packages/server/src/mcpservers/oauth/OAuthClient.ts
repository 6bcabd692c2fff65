import type {
  AddClientAuthentication,
  OAuthClientMetadata,
  OAuthClientProvider,
  OAuthDiscoveryState,
  StoredOAuthClientInformation,
  StoredOAuthTokens
} from "@modelcontextprotocol/client"
import type { McpGrant, McpIdentity } from "@troupe/domain/api/McpAuthorizations"

/** What a node must remember to be a client of an MCP server's authorization server. All of it is sealed. */
export interface OAuthState {
  /** The MCP server's address: what the tokens are for. */
  readonly url: string
  readonly grant: McpGrant
  /** Where people come back to; null where nobody has to log in. */
  readonly redirectUrl: string | null
  readonly clientMetadataUrl: string | null
  /** Whom a company's identity provider vouches for. */
  readonly identity?: McpIdentity
  /** With which the client proves itself, where it has no secret. */
  readonly key: { readonly pem: string; readonly algorithm: string } | null
  readonly client: StoredOAuthClientInformation | null
  readonly discovery: OAuthDiscoveryState | null
  readonly resource: string | null
  /** What was asked for. */
  readonly scope: string | null
  readonly verifier: string | null
  readonly tokens: StoredOAuthTokens | null
}

/** As OAuth calls them. */
const grants: Readonly<Record<McpGrant, string>> = {
  authorization_code: "authorization_code",
  client_credentials: "client_credentials",
  cross_app_access: "urn:ietf:params:oauth:grant-type:jwt-bearer"
}

/** What authorization servers are told of us. */
export const clientMetadata = (redirectUrl: string): OAuthClientMetadata => ({
  client_name: "Troupe",
  redirect_uris: [redirectUrl],
  grant_types: ["authorization_code", "refresh_token"],
  response_types: ["code"]
})

/** Has an identity provider vouch for somebody to whom it concerns, for one resource. */
export type Vouch = (to: { readonly audience: string; readonly resource: string }, scope?: string) => Promise<string>

/** How the official client is told to prove itself, where it is not told by what it is. */
export interface Proofs {
  readonly authentication: AddClientAuthentication | null
  readonly vouch: Vouch
}

/** The official client's idea of whom it works for, over a state that is kept elsewhere. */
export class OAuthClient implements OAuthClientProvider {
  held: OAuthState
  /** Where the person has to go. */
  address: URL | null = null
  readonly addClientAuthentication?: AddClientAuthentication
  readonly clientMetadataUrl?: string
  readonly prepareTokenRequest?: (scope?: string) => URLSearchParams | Promise<URLSearchParams>
  private readonly csrf: string

  constructor(state: OAuthState, csrf: string, { authentication, vouch }: Proofs) {
    this.held = state
    this.csrf = csrf
    if (authentication !== null) this.addClientAuthentication = authentication
    if (state.clientMetadataUrl !== null) this.clientMetadataUrl = state.clientMetadataUrl
    if (state.grant === "client_credentials") this.prepareTokenRequest = credentialsRequest
    if (state.grant === "cross_app_access") this.prepareTokenRequest = (scope) => this.vouchedRequest(vouch, scope)
  }

  get redirectUrl(): string | undefined {
    return this.held.redirectUrl ?? undefined
  }

  get clientMetadata(): OAuthClientMetadata {
    const { grant, redirectUrl } = this.held
    return redirectUrl === null
      ? { client_name: "Troupe", redirect_uris: [], grant_types: [grants[grant]] }
      : clientMetadata(redirectUrl)
  }

  state = () => this.csrf
  clientInformation = () => this.held.client ?? undefined
  tokens = () => this.held.tokens ?? undefined
  discoveryState = () => this.held.discovery ?? undefined
  codeVerifier = () => this.held.verifier ?? ""

  saveClientInformation = (client: StoredOAuthClientInformation) => this.keep({ client })
  saveTokens = (tokens: StoredOAuthTokens) => this.keep({ tokens })
  saveDiscoveryState = (discovery: OAuthDiscoveryState) => this.keep({ discovery })
  saveResourceUrl = (resource: string) => this.keep({ resource })
  saveCodeVerifier = (verifier: string) => this.keep({ verifier })
  redirectToAuthorization = (address: URL) => void (this.address = address)

  private async vouchedRequest(vouch: Vouch, scope?: string): Promise<URLSearchParams> {
    const { discovery, resource, url } = this.held
    const audience = discovery?.authorizationServerMetadata?.issuer ?? String(discovery?.authorizationServerUrl)
    return new URLSearchParams({
      grant_type: grants.cross_app_access,
      assertion: await vouch({ audience, resource: resource ?? url }, scope),
      ...(scope === undefined ? {} : { scope })
    })
  }

  private keep(more: Partial<OAuthState>): void {
    this.held = { ...this.held, ...more }
  }
}

const credentialsRequest = (scope?: string) =>
  new URLSearchParams({ grant_type: "client_credentials", ...(scope === undefined ? {} : { scope }) })
