import { useInfiniteQuery, useQuery } from "@tanstack/react-query"
import { useMemo } from "react"
import { listSessions } from "../api/resources.ts"
import { filterOf, type ListPlace, merge } from "./sessions.logic.ts"

const pageSize = 100

/**
 * The list that an address asks for: page after page as one scrolls, its beginning always fresh, as the workspace
 * says what changed.
 */
export const useSessions = (place: ListPlace) => {
  const filter = filterOf(place)
  const key = JSON.stringify(filter)
  const list = useInfiniteQuery({
    queryKey: ["sessions", key],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) => listSessions(filter, pageParam, pageSize, signal),
    getNextPageParam: (page) => page.next_page,
    staleTime: Infinity
  })
  const head = useQuery({
    queryKey: ["newest-sessions", key],
    queryFn: ({ signal }) => listSessions(filter, null, pageSize, signal),
    enabled: list.isSuccess
  })
  const newest = head.data?.data
  const pages = list.data?.pages
  const sessions = useMemo(() => merge(newest ?? [], pages?.flatMap((page) => page.data) ?? []), [newest, pages])
  return { list, sessions, problem: list.error ?? head.error }
}
