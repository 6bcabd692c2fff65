import { useQuery } from "@tanstack/react-query"
import { CircleCheck } from "lucide-react"
import { allOf, troupe } from "../api/troupe.ts"
import { WorkspaceLink } from "../app/links.tsx"
import { Ago } from "../ui/Ago.tsx"
import { Problem } from "../ui/Problem.tsx"
import { outcomeOf, tellingTypes, whoOf } from "./answered.logic.ts"

/** Names of keys, for who may see them; nobody waits for these. */
const useKeyNames = (): ReadonlyMap<string, string> => {
  const { data = [] } = useQuery({
    queryKey: ["tokens", "names"],
    queryFn: ({ signal }) => allOf(troupe.tokens.list({ limit: 100 }, { signal })),
    retry: false
  })
  return new Map(data.map(({ id, name }) => [id, name]))
}

/** In the place of a call that an address leads to and that waits no more: what became of it. Nothing here is answered by keys. */
export const NotWaiting = (props: {
  readonly callId: string
  readonly sessionId: string | null
  readonly at: number
  readonly onNext: (() => void) | null
}) => {
  const { at, callId, onNext, sessionId } = props
  const keys = useKeyNames()
  const asked = useQuery({
    // Below the inbox, so that it is asked for again when that changes.
    queryKey: ["inbox", "outcome", sessionId, callId],
    queryFn: ({ signal }) => {
      const query = { after: at - 1, limit: 1_000, "types[]": tellingTypes }
      return outcomeOf(callId, troupe.sessions.log.list(sessionId!, query, { signal }))
    },
    enabled: sessionId !== null
  })
  const outcome = asked.data ?? null
  return (
    <section className="notice waits-not" aria-label="A call that waits no more">
      <CircleCheck size={15} aria-hidden />
      {outcome !== null ? (
        <>
          <strong>It is answered already</strong>
          <span>
            {outcome.how}
            {outcome.by === null ? null : <>, by {whoOf(outcome.by, keys)}</>}, <Ago at={outcome.at} />.
          </span>
        </>
      ) : sessionId === null || asked.error !== null ? (
        <>
          <strong>That call does not wait any more</strong>
          <span>It was answered, or its turn ended.</span>
        </>
      ) : asked.isPending ? (
        <strong>Looking for it …</strong>
      ) : (
        <>
          <strong>It is not here yet</strong>
          <span>Nobody has answered it. It comes in a moment.</span>
        </>
      )}
      {asked.error === null ? null : <Problem error={asked.error} />}
      <span className="actions">
        {sessionId === null ? null : (
          <WorkspaceLink to={`sessions/${sessionId}`} search={{ at }} className="button">
            See it in its session
          </WorkspaceLink>
        )}
        {onNext === null ? null : (
          <button type="button" className="button" onClick={onNext}>
            Go to what waits
          </button>
        )}
      </span>
    </section>
  )
}
