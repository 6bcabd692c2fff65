import { Inbox } from "lucide-react"
import { useEffect, useMemo, useRef } from "react"
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
import { callOf, chosenOf, neighbour, type Waiting } from "./inbox.logic.ts"
import { useInbox } from "./useInbox.ts"
import "../session/timeline.css"
import "./inbox.css"

const Panel = ({ hasKeys, one }: { readonly one: Waiting; readonly hasKeys: boolean }) =>
  one.type === "question" ? (
    <QuestionPanel sessionId={one.session_id} callId={one.id} question={one.question} hasKeys={hasKeys} />
  ) : (
    <ApprovalPanel
      sessionId={one.session_id}
      callId={one.id}
      name={one.tool}
      input={one.input}
      digest={one.input_digest}
      reason={one.reason}
      hasKeys={hasKeys}
    >
      <CallDetails call={callOf(one)} />
    </ApprovalPanel>
  )

const Item = (props: { readonly one: Waiting; readonly isChosen: boolean; readonly onChoose: () => void }) => {
  const { isChosen, onChoose, one } = props
  const item = useRef<HTMLLIElement>(null)
  useEffect(() => {
    if (isChosen) item.current?.scrollIntoView({ block: "nearest" })
  }, [isChosen])
  return (
    <li ref={item} className={isChosen ? "waiting chosen" : "waiting"} onFocus={onChoose} onMouseDown={onChoose}>
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
      <Panel one={one} hasKeys={isChosen} />
    </li>
  )
}

const InboxPage = () => {
  const { isPending, problem, waiting } = useInbox()
  const [place, change] = usePlace()
  const chosen = chosenOf(waiting, place["call"] ?? null)
  useActions(
    useMemo(() => {
      const move = (by: number) => change({ call: neighbour(waiting, chosen, by) ?? undefined })
      return [
        { id: "next-waiting", title: "Next", section: "Inbox", keys: "j", run: () => move(1) },
        { id: "previous-waiting", title: "Previous", section: "Inbox", keys: "k", run: () => move(-1) }
      ]
    }, [change, chosen, waiting])
  )
  return (
    <>
      <PageHeader title="Inbox" asked={listAsked("approvals", "approvals", "approvals")}>
        {waiting.length === 0 ? null : <span className="faint">{plural(waiting.length, "thing")} to answer</span>}
      </PageHeader>
      <div className="page-body" tabIndex={0} role="region" aria-label="Inbox">
        {problem === null ? null : (
          <div className="above">
            <Problem error={problem} />
          </div>
        )}
        {isPending ? (
          <Skeleton />
        ) : waiting.length === 0 && problem === null ? (
          <Empty icon={Inbox} title="Nothing waits for you">
            <p>Calls that somebody has to allow, and questions that agents ask, come here from every session.</p>
          </Empty>
        ) : (
          <ul className="inbox">
            {waiting.map((one) => (
              <Item key={one.id} one={one} isChosen={one.id === chosen} onChoose={() => change({ call: one.id })} />
            ))}
          </ul>
        )}
      </div>
    </>
  )
}
export default InboxPage
