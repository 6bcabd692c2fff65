import { Troupe } from "@troupe/client"
import { fetchTelling } from "../app/progress.ts"

/** Where a server is. */
export interface Located {
  readonly url: string
  /** It is the one that runs in this home. */
  readonly isOurs: boolean
}

/** A server, and what asks it. */
export interface Reached {
  readonly server: Located
  readonly troupe: Troupe
}

/** Who has time waits for a server that starts anew; who looks something up is told at once. */
const retries = { patient: 12, hasty: 1 } as const
export type Patience = keyof typeof retries

export const clientOf = (url: string, key: string, patience: Patience, onTrouble: () => void): Troupe =>
  new Troupe({
    baseURL: url,
    apiKey: key,
    maxRetries: retries[patience],
    fetch: fetchTelling,
    logger: { debug: () => undefined, warn: onTrouble }
  })
