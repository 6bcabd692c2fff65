import { useQuery } from "@tanstack/react-query"
import type { Session } from "@troupe/client"
import * as queries from "../api/queries.ts"
import { Ago } from "../ui/Ago.tsx"
import { cost, count, duration, short } from "../ui/format.logic.ts"
import { Tip } from "../ui/Tip.tsx"
import { Bounds } from "./Bounds.tsx"
import { boundsOf } from "./limits.logic.ts"
import type { FeedView } from "./SessionFeed.ts"
import { type Context, meters } from "./meters.logic.ts"
import { VerifiedBadge } from "./VerifiedBadge.tsx"

const connections = {
  loading: { light: "idle", text: "Loading" },
  live: { light: "good", text: "Live" },
  away: { light: "waiting", text: "Connecting again" }
} as const

/** What the model is told of: a bar where it is known how much it reads, and a number, on a phone too. */
const ContextMeter = ({ context: { share, tokens, windowTokens } }: { readonly context: Context }) => (
  <Tip
    text={
      windowTokens === null
        ? `${count(tokens)} tokens were told to the model with the last request`
        : `${count(tokens)} of the ${count(windowTokens)} tokens that the model reads were told to it with the last request`
    }
  >
    <span className="context-meter number faint">
      {share === null ? (
        <>{short(tokens)} context</>
      ) : (
        <>
          <meter min={0} max={1} high={0.8} optimum={0} value={share} aria-label="Context of the model" />
          {Math.round(share * 100)} %<span className="optional"> context</span>
        </>
      )}
    </span>
  </Tip>
)

/** How the session stands, what it has used, and whether what is shown is live. */
export const SessionMeters = ({ feed, session }: { readonly feed: FeedView; readonly session: Session | null }) => {
  const cards = useQuery(queries.modelCards)
  const { context, microUsd, model, status, tokens, totals, unconfined } = meters(feed.timeline, session, cards.data)
  const { light, text } = connections[feed.connection]
  return (
    <div className="meters" data-events={feed.seen}>
      <span className={`badge ${status.tone}`}>
        <span className={`dot ${status.light}`} aria-hidden /> {status.text}
      </span>
      {unconfined === null ? null : (
        <Tip text={unconfined}>
          <span className="badge warn">no isolation</span>
        </Tip>
      )}
      {session === null ? null : <span className="soft cut optional">{session.agent.name}</span>}
      {model === null ? null : <code className="faint cut optional">{model}</code>}
      <span className="meters-end">
        {session === null || feed.seen === 0 ? null : <VerifiedBadge sessionId={session.id} seen={feed.seen} />}
        {context === null ? null : <ContextMeter context={context} />}
        <Tip
          text={
            totals === null
              ? "Nothing used yet"
              : `${count(totals.inputTokens)} in, ${count(totals.outputTokens)} out, ${count(totals.cacheReadTokens)} from cache; ${count(totals.modelRequests)} requests, ${count(totals.toolCalls)} calls, ${duration(totals.activeMs)} at work`
          }
        >
          <span className="number soft optional">{short(tokens)} tokens</span>
        </Tip>
        <span className="number soft">{cost(microUsd)}</span>
        {session === null ? null : <Bounds bounds={boundsOf(feed.timeline, session)} session={session} />}
        {session === null ? null : (
          <span className="faint optional">
            <Ago at={Date.parse(session.created_at)} />
          </span>
        )}
        <Tip text={text}>
          <span className={`dot ${light}`} role="status" aria-label={text} />
        </Tip>
      </span>
    </div>
  )
}
