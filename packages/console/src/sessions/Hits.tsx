import { useInfiniteQuery } from "@tanstack/react-query"
import { SearchX } from "lucide-react"
import type { SearchHit } from "@troupe/client"
import { troupe } from "../api/troupe.ts"
import { WorkspaceLink } from "../app/links.tsx"
import { Ago } from "../ui/Ago.tsx"
import { Empty } from "../ui/Empty.tsx"
import { Loaded } from "../ui/Loaded.tsx"
import { pieces, shownOf } from "./hits.logic.ts"
import { statusOf } from "./sessions.logic.ts"
import { partOf } from "./useSessions.ts"

const Hit = ({ hit }: { readonly hit: SearchHit }) => {
  const { session } = hit
  const { light, text } = statusOf(session.status)
  const shown = shownOf(hit)
  return (
    <WorkspaceLink to={`sessions/${session.id}`} className="hit">
      <span className={`dot ${light}`} role="img" aria-label={text} />
      <span className="cut session-title">{session.title ?? "Untitled session"}</span>
      <span className="cut soft session-agent">{session.agent.name}</span>
      <span className="faint session-time">
        <Ago at={Date.parse(session.updated_at)} />
      </span>
      {shown === null ? null : (
        <span className="cut soft hit-text">
          {pieces(shown.text, shown.ranges).map(({ isFound, text: piece }, index) =>
            isFound ? <mark key={index}>{piece}</mark> : piece
          )}
        </span>
      )}
    </WorkspaceLink>
  )
}

/** Sessions by what was said in them and what they are called. */
export const Hits = ({ archived, q }: { readonly q: string; readonly archived: boolean }) => {
  const found = useInfiniteQuery({
    queryKey: ["search", q, archived],
    initialPageParam: {},
    queryFn: ({ pageParam, signal }) =>
      partOf(
        troupe.sessions.search({ q, ...(archived ? { include_archived: "true" } : {}), ...pageParam }, { signal })
      ),
    getNextPageParam: ({ more }) => more
  })
  const { data, fetchNextPage, hasNextPage, isFetching } = found
  if (data === undefined) return <Loaded of={found}>{() => null}</Loaded>
  const hits = data.pages.flatMap((page) => page.data)
  if (hits.length === 0) {
    return (
      <Empty icon={SearchX} title="Nothing found">
        <p>
          Words are looked for in titles and in what was said. Put them in quotation marks to find them together, and{" "}
          <code>-</code> before one that must not be there.
        </p>
      </Empty>
    )
  }
  return (
    <div className="page-body" role="region" aria-label="Found" tabIndex={0}>
      <ul>
        {hits.map((hit) => (
          <li key={hit.session.id}>
            <Hit hit={hit} />
          </li>
        ))}
      </ul>
      {hasNextPage ? (
        <div className="above">
          <button type="button" className="button" disabled={isFetching} onClick={() => void fetchNextPage()}>
            More
          </button>
        </div>
      ) : null}
    </div>
  )
}
