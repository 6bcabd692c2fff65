import { useQuery, useQueryClient } from "@tanstack/react-query"
import { useParams } from "@tanstack/react-router"
import { lazy, Suspense, useEffect, useMemo } from "react"
import { troupe } from "../api/troupe.ts"
import { usePlace } from "../app/links.tsx"
import { Crumbs } from "../app/Crumbs.tsx"
import { PageHeader } from "../app/PageHeader.tsx"
import { useActions } from "../registry/actions.ts"
import { Skeleton } from "../ui/Empty.tsx"
import { Problem } from "../ui/Problem.tsx"
import { Composer } from "./Composer.tsx"
import { Commenting } from "./diff/useComments.ts"
import { heldBy } from "./limits.logic.ts"
import { LimitNotice } from "./LimitNotice.tsx"
import { missingSession } from "./missing.logic.ts"
import { NoSession } from "./NoSession.tsx"
import { Plan } from "./Plan.tsx"
import { currentTurn, firstAsk, primaryOf, rowsOf } from "./rows.logic.ts"
import { SessionMenu } from "./SessionMenu.tsx"
import { SessionMeters } from "./SessionMeters.tsx"
import { TimelineView } from "./TimelineView.tsx"
import { useFeed } from "./useFeed.ts"
import { WholeLog } from "./WholeLog.tsx"
import "./session.css"

const LogView = lazy(() => import("./LogView.tsx"))
const TraceView = lazy(() => import("../trace/TraceView.tsx"))
const FilesView = lazy(() => import("../files/FilesView.tsx"))
const TerminalsView = lazy(() => import("../terminal/TerminalsView.tsx"))
const ReplayView = lazy(() => import("../replay/ReplayView.tsx"))

const tabs = [
  { id: "", title: "Timeline", keys: "1" },
  { id: "replay", title: "Replay", keys: "2" },
  { id: "trace", title: "Trace", keys: "3" },
  { id: "files", title: "Files", keys: "4" },
  { id: "log", title: "Log", keys: "5" },
  { id: "terminal", title: "Terminal", keys: "6" }
] as const

const Session = ({ sessionId }: { readonly sessionId: string }) => {
  const [place, change] = usePlace()
  const { feed, view } = useFeed(sessionId)
  const session = useQuery({ queryKey: ["session", sessionId], queryFn: () => troupe.sessions.retrieve(sessionId) })
  const { chapters, connection, problem, seen, timeline, writing } = view
  const client = useQueryClient()
  // What a turn ran in, the session itself says once that is so, and what it made and changed is there once it has ended.
  useEffect(() => {
    for (const what of ["session", "files", "changes"]) void client.invalidateQueries({ queryKey: [what, sessionId] })
  }, [client, sessionId, timeline.status])
  const thread = primaryOf(timeline)
  const rows = useMemo(() => (thread === null ? [] : rowsOf(thread, writing)), [thread, writing])
  const ask = firstAsk(thread)
  const tab = place["tab"] ?? ""
  const at = place["at"] === undefined ? null : Number(place["at"])
  const missing = missingSession(sessionId, seen, problem)
  const isThere = missing === null
  useActions(
    useMemo(
      () =>
        isThere
          ? tabs.map(({ id, keys, title }) => ({
              id: `tab-${id}`,
              title: `Show the ${title.toLowerCase()}`,
              section: "Session",
              keys: `v ${keys}`,
              run: () => change({ tab: id })
            }))
          : [],
      [change, isThere]
    )
  )
  if (missing !== null) return <NoSession missing={missing} />
  const held = heldBy(timeline, session.data ?? null)
  const canSay = timeline.endedAt === null && seen > 0
  const title = timeline.title ?? session.data?.title ?? "Untitled session"
  return (
    <>
      <PageHeader title={<Crumbs to="sessions" all="Sessions" name={title} />}>
        <div className="segments tabs" role="group" aria-label="View">
          {tabs.map(({ id, title: name }) => (
            <button
              key={id}
              type="button"
              className={tab === id ? "segment here" : "segment"}
              aria-pressed={tab === id}
              onClick={() => change({ tab: id })}
            >
              {name}
            </button>
          ))}
        </div>
        <SessionMenu sessionId={sessionId} title={timeline.title} />
      </PageHeader>
      <SessionMeters feed={view} session={session.data ?? null} />
      {problem === null ? null : (
        <div className="above">
          <Problem error={problem} />
        </div>
      )}
      {held === null ? null : <LimitNotice sessionId={sessionId} held={held} />}
      {connection === "loading" && seen === 0 ? (
        <Skeleton rows={8} />
      ) : tab === "log" ? (
        <Suspense fallback={<Skeleton />}>
          <WholeLog sessionId={sessionId} seen={seen}>
            {(log) => <LogView log={log} at={at} />}
          </WholeLog>
        </Suspense>
      ) : tab === "trace" ? (
        <Suspense fallback={<Skeleton />}>
          <WholeLog sessionId={sessionId} seen={seen}>
            {(log) => <TraceView log={log} />}
          </WholeLog>
        </Suspense>
      ) : tab === "files" ? (
        <Suspense fallback={<Skeleton />}>
          <Commenting value={canSay ? sessionId : null}>
            <FilesView sessionId={sessionId} />
          </Commenting>
        </Suspense>
      ) : tab === "terminal" ? (
        <Suspense fallback={<Skeleton />}>
          <TerminalsView sessionId={sessionId} />
        </Suspense>
      ) : tab === "replay" ? (
        <Suspense fallback={<Skeleton />}>
          <WholeLog sessionId={sessionId} seen={seen}>
            {(log) => <ReplayView sessionId={sessionId} log={log} at={at} />}
          </WholeLog>
        </Suspense>
      ) : (
        <>
          <Commenting value={canSay ? sessionId : null}>
            <TimelineView
              rows={rows}
              chapters={chapters}
              fetchRows={feed.chapter}
              onReading={feed.reading}
              sessionId={sessionId}
              askKey={ask?.callId ?? null}
              at={at}
            />
          </Commenting>
          {thread?.plan == null ? null : <Plan plan={thread.plan} />}
        </>
      )}
      {canSay && (tab === "" || tab === "files") ? (
        <Composer
          sessionId={sessionId}
          hasTurn={currentTurn(thread) !== null}
          usualModel={session.data?.agent.model.id ?? null}
        />
      ) : null}
    </>
  )
}

const SessionPage = () => {
  const { session } = useParams({ strict: false }) as { readonly session: string }
  return <Session key={session} sessionId={session} />
}
export default SessionPage
