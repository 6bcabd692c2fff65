import { useQuery } from "@tanstack/react-query"
import { ShieldAlert, ShieldCheck } from "lucide-react"
import * as queries from "../api/queries.ts"
import { CopyButton } from "../ui/CopyButton.tsx"
import { Skeleton } from "../ui/Empty.tsx"
import { Panel } from "../ui/Panel.tsx"
import { Problem } from "../ui/Problem.tsx"
import { proofsOf } from "./verify.logic.ts"

/** Has the session checked, and shows what that rests on. */
const VerifyPanel = (props: { readonly sessionId: string; readonly onClose: () => void }) => {
  const { onClose, sessionId } = props
  const { data, error, isFetching } = useQuery(queries.verified(sessionId))
  return (
    <Panel
      title={
        data === undefined || isFetching ? "Checking the session" : data.ok ? "Verified" : "This is not what happened"
      }
      isOpen
      onClose={onClose}
    >
      {error !== null ? (
        <Problem error={error} />
      ) : data === undefined || isFetching ? (
        <Skeleton rows={4} />
      ) : (
        <>
          <ul className="proofs">
            {proofsOf(data).map(({ ok, text, title }) => (
              <li key={title} className={ok ? "good" : "bad"}>
                {ok ? (
                  <ShieldCheck size={16} aria-label="Holds" />
                ) : (
                  <ShieldAlert size={16} aria-label="Does not hold" />
                )}
                <strong>{title}</strong>
                <span className="soft">{text}</span>
              </li>
            ))}
          </ul>
          <div className="field">
            <span className="label">Hash of the last event</span>
            <div className="secret">
              <code>{data.head}</code>
              <CopyButton text={data.head} />
            </div>
            <span className="hint">
              Whoever noted it can tell later that nothing up to event {data.version} was changed.{" "}
              <a className="link" href={`/v1/sessions/${sessionId}/export`} download={`${sessionId}.jsonl`}>
                Download the bundle
              </a>{" "}
              to verify it anywhere, without this server.
            </span>
          </div>
        </>
      )}
    </Panel>
  )
}
export default VerifyPanel
