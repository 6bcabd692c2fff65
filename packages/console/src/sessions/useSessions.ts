import type { Pages } from "@troupe/client"
import { useInfiniteQuery, useQuery } from "@tanstack/react-query"
import { useMemo, useState } from "react"
import { troupe } from "../api/troupe.ts"
import { filterOf, KnownSessions, type ListPlace } from "./sessions.logic.ts"

const pageSize = 100

/** One page of a list, and what to ask for to see the next one. */
export interface Part<A> {
  readonly data: ReadonlyArray<A>
  readonly more: object | null
}

export const partOf = async <A>(pages: Pages<A>): Promise<Part<A>> => {
  const { data, more } = await pages
  return { data, more }
}

/**
 * The list that an address asks for: page after page as one scrolls, its beginning always fresh, as the workspace
 * says what changed.
 */
export const useSessions = (place: ListPlace) => {
  const filter = filterOf(place)
  const key = JSON.stringify(filter)
  const ask = (from: object, signal: AbortSignal) =>
    partOf(troupe.sessions.list({ ...filter, limit: pageSize, ...from }, { signal }))
  const list = useInfiniteQuery({
    queryKey: ["sessions", key],
    initialPageParam: {},
    queryFn: ({ pageParam, signal }) => ask(pageParam, signal),
    getNextPageParam: ({ more }) => more,
    staleTime: Infinity
  })
  const head = useQuery({
    queryKey: ["newest-sessions", key],
    queryFn: ({ signal }) => ask({}, signal),
    enabled: list.isSuccess
  })
  const newest = head.data?.data
  const pages = list.data?.pages
  const [known] = useState(() => new KnownSessions())
  const sessions = useMemo(() => known.with(newest ?? [], pages ?? []), [known, newest, pages])
  return { list, sessions, problem: list.error ?? head.error }
}
