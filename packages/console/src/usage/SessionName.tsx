import { queryOptions, useQuery } from "@tanstack/react-query"
import { useEffect, useRef, useState } from "react"
import { NotFoundError } from "@troupe/client"
import { troupe } from "../api/troupe.ts"

const named = (id: string) =>
  queryOptions({
    queryKey: ["session-name", id],
    queryFn: async ({ signal }) => {
      try {
        const { title } = await troupe.sessions.retrieve(id, { signal })
        return { title, isDeleted: false }
      } catch (error) {
        if (error instanceof NotFoundError) return { title: null, isDeleted: true }
        throw error
      }
    },
    staleTime: Infinity
  })

/** What a session is called that is not among those that are known: asked for once somebody sees it, since there may be thousands. */
export const SessionName = ({ id }: { readonly id: string }) => {
  const place = useRef<HTMLSpanElement>(null)
  const [isSeen, setSeen] = useState(false)
  const { data } = useQuery({ ...named(id), enabled: isSeen })
  useEffect(() => {
    const watcher = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) setSeen(true)
    })
    watcher.observe(place.current!)
    return () => watcher.disconnect()
  }, [])
  return (
    <span ref={place}>
      {data?.title ?? <code>{id}</code>}
      {data?.isDeleted === true ? <span className="faint"> (deleted)</span> : null}
    </span>
  )
}
