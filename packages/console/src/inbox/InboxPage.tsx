import { defaultRangeExtractor, useVirtualizer } from "@tanstack/react-virtual"
import { Inbox } from "lucide-react"
import { useCallback, useEffect, useMemo, useRef } from "react"
import { usePlace, WorkspaceLink } from "../app/links.tsx"
import { listAsked } from "../app/copies.logic.ts"
import { PageHeader } from "../app/PageHeader.tsx"
import { useActions } from "../registry/actions.ts"
import { ApprovalPanel } from "../session/ApprovalPanel.tsx"
import { QuestionPanel } from "../session/QuestionPanel.tsx"
import { CallDetails } from "../session/tools/renderers.tsx"
import { Ago } from "../ui/Ago.tsx"
import { Empty, Skeleton } from "../ui/Empty.tsx"
import { plural } from "../ui/format.logic.ts"
import { Problem } from "../ui/Problem.tsx"
import { callOf, chosenOf, neighbour, nextAfter, placeIn, placeOfAsk, type Waiting } from "./inbox.logic.ts"
import { NotWaiting } from "./NotWaiting.tsx"
import { useInbox } from "./useInbox.ts"
import "../session/timeline.css"
import "./inbox.css"

const rowPx = 200

const Panel = (props: { readonly one: Waiting; readonly hasKeys: boolean; readonly onAnswered: () => void }) => {
  const { hasKeys, onAnswered, one } = props
  const asked = { sessionId: one.session_id, callId: one.id, seq: one.seq, hasKeys, onAnswered }
  return one.type === "question" ? (
    <QuestionPanel {...asked} question={one.question} />
  ) : (
    <ApprovalPanel {...asked} name={one.tool} input={one.input} digest={one.input_digest} reason={one.reason}>
      <CallDetails call={callOf(one)} />
    </ApprovalPanel>
  )
}

const Item = (props: {
  readonly one: Waiting
  readonly isChosen: boolean
  readonly onChoose: () => void
  readonly onAnswered: () => void
}) => {
  const { isChosen, onAnswered, onChoose, one } = props
  return (
    <div className={isChosen ? "waiting chosen" : "waiting"} onFocus={onChoose} onMouseDown={onChoose}>
      <div className="waiting-head">
        <WorkspaceLink to={`sessions/${one.session_id}`} search={{ at: one.seq }} className="cut">
          {one.session_title ?? "Untitled session"}
        </WorkspaceLink>
        <span className="faint">
          <Ago at={Date.parse(one.asked_at)} />
        </span>
        {one.expires_at === null ? null : (
          <span className="badge warn">until {new Date(one.expires_at).toLocaleTimeString()}</span>
        )}
      </div>
      <Panel one={one} hasKeys={isChosen} onAnswered={onAnswered} />
    </div>
  )
}

/** All that waits. What is in sight is drawn, and what is chosen: words may have been written there. */
const List = (props: {
  readonly waiting: ReadonlyArray<Waiting>
  readonly chosen: string | null
  readonly onGo: (one: Waiting | null) => void
}) => {
  const { chosen, onGo, waiting } = props
  const scroller = useRef<HTMLDivElement>(null)
  const at = waiting.findIndex(({ id }) => id === chosen)
  const list = useVirtualizer({
    count: waiting.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    getItemKey: (index) => waiting[index]!.id,
    rangeExtractor: (range) => {
      const inSight = defaultRangeExtractor(range)
      return at < 0 || inSight.includes(at) ? inSight : [...inSight, at].sort((a, b) => a - b)
    },
    overscan: 4,
    gap: 18,
    paddingStart: 20,
    paddingEnd: 20,
    scrollPaddingStart: 20,
    scrollPaddingEnd: 20
  })
  const seen = useRef<string | null>(null)
  useEffect(() => {
    if (at < 0 || seen.current === chosen) return
    seen.current = chosen
    list.scrollToIndex(at)
  }, [at, chosen, list])
  return (
    <div ref={scroller} className="page-body" tabIndex={0} role="region" aria-label="Inbox">
      <ul className="inbox" style={{ height: list.getTotalSize() }}>
        {list.getVirtualItems().map(({ index, key, start }) => {
          const one = waiting[index]!
          return (
            <li key={key} ref={list.measureElement} data-index={index} style={{ transform: `translateY(${start}px)` }}>
              <Item
                one={one}
                isChosen={one.id === chosen}
                onChoose={() => onGo(one)}
                onAnswered={() => one.id === chosen && onGo(nextAfter(waiting, one.id))}
              />
            </li>
          )
        })}
      </ul>
    </div>
  )
}

const InboxPage = () => {
  const { isPending, problem, waiting } = useInbox()
  const [place, change] = usePlace()
  const wanted = place["call"] ?? null
  const chosen = chosenOf(waiting, wanted)
  const go = useCallback(
    (one: Waiting | null) =>
      change(one === null ? { call: undefined, session: undefined, at: undefined } : placeOfAsk(one)),
    [change]
  )
  // Said in the address, so that the keys stay with this one, whatever becomes of it.
  const first = wanted === null ? waiting[0] : undefined
  useEffect(() => {
    if (first !== undefined) go(first)
  }, [first, go])
  useActions(
    useMemo(() => {
      const move = (by: number) => go(neighbour(waiting, chosen, by))
      return [
        { id: "next-waiting", title: "Next", section: "Inbox", keys: "j", run: () => move(1) },
        { id: "previous-waiting", title: "Previous", section: "Inbox", keys: "k", run: () => move(-1) }
      ]
    }, [chosen, go, waiting])
  )
  const isGone = !isPending && problem === null && wanted !== null && chosen === null
  return (
    <>
      <PageHeader title="Inbox" asked={listAsked("approvals", "approvals", "approvals")}>
        {waiting.length === 0 ? null : <span className="faint">{plural(waiting.length, "thing")} to answer</span>}
      </PageHeader>
      {problem === null ? null : (
        <div className="above">
          <Problem error={problem} />
        </div>
      )}
      {isGone ? (
        <div className="above">
          <NotWaiting
            callId={wanted}
            sessionId={place["session"] ?? null}
            at={placeIn(place["at"])}
            onNext={waiting.length === 0 ? null : () => go(waiting[0]!)}
          />
        </div>
      ) : null}
      {isPending ? (
        <Skeleton />
      ) : waiting.length > 0 ? (
        <List waiting={waiting} chosen={chosen} onGo={go} />
      ) : problem === null ? (
        <Empty icon={Inbox} title="Nothing waits for you">
          <p>Calls that somebody has to allow, and questions that agents ask, come here from every session.</p>
        </Empty>
      ) : null}
    </>
  )
}
export default InboxPage
