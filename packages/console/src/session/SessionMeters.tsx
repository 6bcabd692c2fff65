import type { Session } from "@troupe/client"
import { Ago } from "../ui/Ago.tsx"
import { cost, count, duration, short } from "../ui/format.logic.ts"
import { Tip } from "../ui/Tip.tsx"
import { Bounds } from "./Bounds.tsx"
import { boundsOf } from "./limits.logic.ts"
import type { FeedView } from "./SessionFeed.ts"
import { meters } from "./meters.logic.ts"
import { VerifiedBadge } from "./VerifiedBadge.tsx"

const connections = {
  loading: { light: "idle", text: "Loading" },
  live: { light: "good", text: "Live" },
  away: { light: "waiting", text: "Connecting again" }
} as const

/** How the session stands, what it has used, and whether what is shown is live. */
export const SessionMeters = ({ feed, session }: { readonly feed: FeedView; readonly session: Session | null }) => {
  const { contextTokens, microUsd, model, status, tokens, totals } = meters(feed.timeline, session)
  const { light, text } = connections[feed.connection]
  return (
    <div className="meters" data-events={feed.seen}>
      <span className={`badge ${status.tone}`}>
        <span className={`dot ${status.light}`} aria-hidden /> {status.text}
      </span>
      {session?.troupe.sandbox?.isolation === "none" ? (
        <Tip text={`Tools ran in ${session.troupe.sandbox.backend}: nothing keeps them from the host`}>
          <span className="badge warn">no isolation</span>
        </Tip>
      ) : null}
      {session === null ? null : <span className="soft cut">{session.agent.name}</span>}
      {model === null ? null : <code className="faint cut optional">{model}</code>}
      <span className="meters-end">
        {session === null || feed.seen === 0 ? null : <VerifiedBadge sessionId={session.id} seen={feed.seen} />}
        {contextTokens === null ? null : (
          <Tip text="What the last request told the model">
            <span className="number faint optional">{short(contextTokens)} context</span>
          </Tip>
        )}
        <Tip
          text={
            totals === null
              ? "Nothing used yet"
              : `${count(totals.inputTokens)} in, ${count(totals.outputTokens)} out, ${count(totals.cacheReadTokens)} from cache; ${count(totals.modelRequests)} requests, ${count(totals.toolCalls)} calls, ${duration(totals.activeMs)} at work`
          }
        >
          <span className="number soft">{short(tokens)} tokens</span>
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
