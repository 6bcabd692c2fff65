import type { InfiniteData, QueryClient } from "@tanstack/react-query"
import type { Session } from "@troupe/client"
import type { Part } from "./useSessions.ts"

/** Sessions that this browser has seen in a list, without asking for them again. */
export const recentSessions = (client: QueryClient): ReadonlyArray<Session> => {
  const seen = new Map<string, Session>()
  for (const [, data] of client.getQueriesData<InfiniteData<Part<Session>>>({ queryKey: ["sessions"] })) {
    for (const session of data?.pages.flatMap((page) => page.data) ?? []) seen.set(session.id, session)
  }
  return [...seen.values()]
}
