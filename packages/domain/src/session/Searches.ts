import type { JsonObject } from "../Json.ts"

// Apart from what else is used: programs of clients read it, and are to be small.

/** How many searches of the web a call that is over has made: our own tool says so, and nobody else is believed. */
export const searchesIn = (executor: string | undefined, details: JsonObject | null): number => {
  const searches = executor === "function" ? details?.["webSearches"] : undefined
  return typeof searches === "number" && Number.isSafeInteger(searches) && searches > 0 ? searches : 0
}
