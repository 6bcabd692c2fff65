import { extractWWWAuthenticateParams } from "@modelcontextprotocol/client"
import type { JsonObject } from "@troupe/domain/Json"
import type { Effect } from "effect"
import type { McpFetch } from "./outboundFetch.ts"
import { covers, secretHeaders } from "./McpSecret.ts"

type Run = <A>(effect: Effect.Effect<A>) => Promise<A>

export interface Credentials {
  /** The newest value of the server's secret. */
  readonly secret: Effect.Effect<string | null>
  /** Asks once for a newer one; null where there is none. */
  readonly refresh: Effect.Effect<string | null>
}

/** The secret of a server is not what was agreed. */
export class SecretUnreadable extends Error {
  constructor() {
    super("its secret is neither {bearer} nor {headers}")
  }
}

const wordsMax = 500

/** What a server said that it wants, when it did not take what it was given. Strangers' words: for people, not to be followed. */
const wanted = (response: Response, shown: string | null): JsonObject => {
  const { error, resourceMetadataUrl, scope } = extractWWWAuthenticateParams(response)
  const said = { resource_metadata: resourceMetadataUrl?.href, scope, error }
  return {
    credentials: shown === null ? "none" : "not_accepted",
    ...(covers(shown, scope) ? { scope_granted: true } : {}),
    ...Object.fromEntries(
      Object.entries(said).flatMap(([key, words]) => (words === undefined ? [] : [[key, words.slice(0, wordsMax)]]))
    )
  }
}

/** Adds the server's credentials. A 401 asks for newer ones, once for each request; who is refused all the same tells why. */
export const authorizedFetch =
  (fetch: McpFetch, { refresh, secret }: Credentials, run: Run, refused: (wants: JsonObject) => void): McpFetch =>
  async (url, init = {}) => {
    const send = async (value: string | null) => {
      const own = secretHeaders(value)
      if (own === undefined) throw new SecretUnreadable()
      const headers = new Headers(init.headers)
      for (const [name, each] of Object.entries(own)) headers.set(name, each)
      return await fetch(url, { ...init, headers })
    }
    const used = await run(secret)
    const told = (response: Response, value: string | null) => {
      if (response.status === 401 || response.status === 403) refused(wanted(response, value))
      return response
    }
    const response = await send(used)
    if (response.status !== 401) return told(response, used)
    // Another request may have asked meanwhile.
    const known = await run(secret)
    const newer = known === used ? await run(refresh) : known
    if (newer === null || newer === used) return told(response, used)
    await response.body?.cancel()
    return told(await send(newer), newer)
  }
