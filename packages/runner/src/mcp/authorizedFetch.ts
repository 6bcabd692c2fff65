import type { Effect } from "effect"
import type { McpFetch } from "./outboundFetch.ts"
import { secretHeaders } from "./McpSecret.ts"

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

/** Adds the server's credentials. A 401 asks for newer ones, once for each request. */
export const authorizedFetch =
  (fetch: McpFetch, { refresh, secret }: Credentials, run: Run): McpFetch =>
  async (url, init = {}) => {
    const send = async (value: string | null) => {
      const own = secretHeaders(value)
      if (own === undefined) throw new SecretUnreadable()
      const headers = new Headers(init.headers)
      for (const [name, each] of Object.entries(own)) headers.set(name, each)
      return await fetch(url, { ...init, headers })
    }
    const used = await run(secret)
    const response = await send(used)
    if (response.status !== 401) return response
    // Another request may have asked meanwhile.
    const known = await run(secret)
    const newer = known === used ? await run(refresh) : known
    if (newer === null || newer === used) return response
    await response.body?.cancel()
    return await send(newer)
  }
