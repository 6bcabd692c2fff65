import { useQuery } from "@tanstack/react-query"
import { useVirtualizer } from "@tanstack/react-virtual"
import { MessagesSquare, Plus } from "lucide-react"
import { useEffect, useMemo, useRef, useState } from "react"
import type { Session } from "@troupe/client"
import * as queries from "../api/queries.ts"
import { useGo, usePlace, WorkspaceLink } from "../app/links.tsx"
import { foundAsked, sessionsAsked } from "../app/copies.logic.ts"
import { PageHeader } from "../app/PageHeader.tsx"
import { useActions } from "../registry/actions.ts"
import { Ago } from "../ui/Ago.tsx"
import { Empty, Skeleton } from "../ui/Empty.tsx"
import { cost, microUsdOf, short } from "../ui/format.logic.ts"
import { Keys } from "../ui/Keys.tsx"
import { Problem } from "../ui/Problem.tsx"
import { useWaitingSessions } from "../inbox/useInbox.ts"
import { useSettled } from "../ui/useSettled.ts"
import { Hits } from "./Hits.tsx"
import { filterOf, statusOf, step, views, waitsForPeople } from "./sessions.logic.ts"
import { useSessions } from "./useSessions.ts"
import "./sessions.css"

const rowHeight = 40

const Row = (props: { readonly session: Session; readonly isChosen: boolean; readonly isWaiting: boolean }) => {
  const { isChosen, isWaiting, session } = props
  const { light, text } = isWaiting ? waitsForPeople : statusOf(session.status)
  const { usage } = session
  return (
    <WorkspaceLink to={`sessions/${session.id}`} className={isChosen ? "session-row chosen" : "session-row"}>
      <span className={`dot ${light}`} role="img" aria-label={text} />
      <span className="cut session-title">{session.title ?? "Untitled session"}</span>
      {isWaiting ? <span className="badge warn optional">waits for you</span> : null}
      {session.archived_at === null ? null : <span className="badge optional">archived</span>}
      <span className="cut soft session-agent">{session.agent.name}</span>
      <span className="faint number session-tokens">{short(usage.input_tokens + usage.output_tokens)}</span>
      <span className="soft number session-cost">{cost(microUsdOf(usage.list_cost))}</span>
      <span className="faint session-time">
        <Ago at={Date.parse(session.updated_at)} />
      </span>
    </WorkspaceLink>
  )
}

const Filters = () => {
  const [place, change] = usePlace()
  const agents = useQuery(queries.agents)
  const search = useRef<HTMLInputElement>(null)
  const actions = useMemo(
    () => [
      {
        id: "find-session",
        title: "Search sessions",
        section: "Sessions",
        keys: "/",
        run: () => search.current?.focus()
      },
      ...views.map(({ id, title }) => ({
        id: `view-${id}`,
        title: `Show ${title.toLowerCase()} sessions`,
        section: "Sessions",
        run: () => change({ view: id })
      }))
    ],
    [change]
  )
  useActions(actions)
  return (
    <div className="filters">
      <div className="segments" role="group" aria-label="Status">
        {views.map(({ id, title }) => (
          <button
            key={id}
            type="button"
            className={(place["view"] ?? "") === id ? "segment here" : "segment"}
            aria-pressed={(place["view"] ?? "") === id}
            onClick={() => change({ view: id })}
          >
            {title}
          </button>
        ))}
      </div>
      <select
        className="input agent-filter"
        aria-label="Agent"
        value={place["agent"] ?? ""}
        onChange={(event) => change({ agent: event.target.value })}
      >
        <option value="">All agents</option>
        {agents.data?.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
      <label className="check optional">
        <input
          type="checkbox"
          checked={place["archived"] === "1"}
          onChange={(event) => change({ archived: event.target.checked ? "1" : undefined })}
        />
        Archived
      </label>
      <input
        ref={search}
        className="input find"
        type="search"
        placeholder="Search what was said"
        aria-label="Search sessions"
        value={place["q"] ?? ""}
        onChange={(event) => change({ q: event.target.value })}
        onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
      />
    </div>
  )
}

const FirstSteps = () => (
  <Empty
    icon={MessagesSquare}
    title="No sessions yet"
    actions={
      <WorkspaceLink to="sessions/new" className="button first">
        Start a session <Keys of="c" />
      </WorkspaceLink>
    }
  >
    <p>
      A session is one conversation with an agent. It keeps its log for ever, survives every crash, and can be replayed
      to any moment. Start one here, or in a terminal:
    </p>
    <pre>npx troupe run "run: uname -a"</pre>
  </Empty>
)

const List = () => {
  const [place] = usePlace()
  const { list, problem, sessions } = useSessions(place)
  const waiting = useWaitingSessions()
  const go = useGo()
  const scroller = useRef<HTMLDivElement>(null)
  const [chosen, setChosen] = useState(-1)
  const rows = useVirtualizer({
    count: sessions.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12
  })
  const shown = rows.getVirtualItems()
  const last = shown.at(-1)?.index ?? 0
  const { fetchNextPage, hasNextPage, isFetchingNextPage } = list
  useEffect(() => {
    if (last >= sessions.length - 30 && hasNextPage && !isFetchingNextPage) void fetchNextPage()
  }, [fetchNextPage, hasNextPage, isFetchingNextPage, last, sessions.length])

  const actions = useMemo(() => {
    const move = (by: number) => {
      const next = step(chosen, by, sessions.length)
      setChosen(next)
      if (next >= 0) rows.scrollToIndex(next)
    }
    const open = () => {
      const session = sessions.at(chosen)
      if (session !== undefined) go(`sessions/${session.id}`)
    }
    return [
      { id: "next-session", title: "Next session", section: "Sessions", keys: "j", run: () => move(1) },
      { id: "previous-session", title: "Previous session", section: "Sessions", keys: "k", run: () => move(-1) },
      { id: "open-session", title: "Open the chosen session", section: "Sessions", keys: "o", run: open }
    ]
  }, [chosen, go, rows, sessions])
  useActions(actions)

  const isFiltered = Object.values(place).some((value) => value !== undefined && value !== "")
  return (
    <>
      {problem === null ? null : (
        <div className="above">
          <Problem error={problem} onRetry={() => void list.refetch()} />
        </div>
      )}
      {list.isPending ? (
        <Skeleton rows={10} />
      ) : sessions.length === 0 && !hasNextPage ? (
        isFiltered ? (
          <Empty icon={MessagesSquare} title="None of them">
            <p>No session fits these filters.</p>
          </Empty>
        ) : problem === null ? (
          <FirstSteps />
        ) : null
      ) : (
        <div ref={scroller} className="page-body" role="region" aria-label="Sessions" tabIndex={0}>
          <ul style={{ height: rows.getTotalSize(), position: "relative" }}>
            {shown.map(({ index, start }) => {
              const session = sessions.at(index)
              return session === undefined ? null : (
                <li key={session.id} className="at" style={{ transform: `translateY(${start}px)` }}>
                  <Row session={session} isChosen={index === chosen} isWaiting={waiting.has(session.id)} />
                </li>
              )
            })}
          </ul>
        </div>
      )}
    </>
  )
}

const SessionsPage = () => {
  const [place] = usePlace()
  const q = useSettled((place["q"] ?? "").trim())
  return (
    <>
      <PageHeader title="Sessions" asked={q === "" ? sessionsAsked(filterOf(place)) : foundAsked(q)}>
        <WorkspaceLink to="sessions/new" className="button first">
          <Plus size={14} /> New session <Keys of="c" />
        </WorkspaceLink>
      </PageHeader>
      <Filters />
      {q === "" ? <List /> : <Hits q={q} archived={place["archived"] === "1"} />}
    </>
  )
}
export default SessionsPage
