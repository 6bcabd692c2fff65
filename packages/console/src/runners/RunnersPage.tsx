import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { Server } from "lucide-react"
import { useState } from "react"
import type { Runner } from "@troupe/client"
import * as queries from "../api/queries.ts"
import { troupe } from "../api/troupe.ts"
import { listAsked } from "../app/copies.logic.ts"
import { PageHeader } from "../app/PageHeader.tsx"
import { Confirm } from "../ui/Confirm.tsx"
import { CopyButton } from "../ui/CopyButton.tsx"
import { Empty } from "../ui/Empty.tsx"
import { Loaded } from "../ui/Loaded.tsx"
import { count, plural, tail } from "../ui/format.logic.ts"
import { Panel } from "../ui/Panel.tsx"
import { Problem } from "../ui/Problem.tsx"
import { TextField } from "../ui/TextField.tsx"
import { isolationOf, lacks, standingOf } from "./runners.logic.ts"
import "./runners.css"

const Card = ({ onRevoke, runner }: { readonly runner: Runner; readonly onRevoke: () => void }) => {
  const { light, means, text } = standingOf(runner)
  return (
    <li className="card">
      <header>
        <span className={`dot ${light}`} aria-hidden />
        <h2>{runner.name}</h2>
        <span className="faint mono">{tail(runner.id)}</span>
        <span className="soft card-end">{text}</span>
        <button type="button" className="button quiet danger" aria-label={`Revoke ${runner.name}`} onClick={onRevoke}>
          Revoke
        </button>
      </header>
      <p className="soft">
        {means} {plural(runner.attempts, "turn")} at work, {plural(runner.sessions, "session")} at home
        {runner.release === null ? "" : `, release ${runner.release}`}.
      </p>
      <dl className="facts">
        <dt>Harnesses</dt>
        <dd>{runner.harnesses.join(", ") || "none"}</dd>
        {runner.sandboxes.map((sandbox) => (
          <div key={sandbox} className="fact">
            <dt>{sandbox}</dt>
            <dd>{isolationOf(sandbox)}</dd>
          </div>
        ))}
        {runner.status !== "connected"
          ? null
          : lacks(runner).map(({ what, why }) => (
              <div key={what} className="fact">
                <dt className="lacking">{what}</dt>
                <dd className="faint">{why}</dd>
              </div>
            ))}
      </dl>
      {runner.labels.length === 0 ? null : (
        <p className="labels">
          {runner.labels.map((label) => (
            <span key={label} className="badge">
              {label}
            </span>
          ))}
        </p>
      )}
    </li>
  )
}

const AddRunner = ({ onClose }: { readonly onClose: () => void }) => {
  const client = useQueryClient()
  const [name, setName] = useState("")
  const create = useMutation({
    mutationFn: () => troupe.tokens.create({ kind: "runner_registration", name: name.trim() }),
    onSuccess: () => void client.invalidateQueries({ queryKey: ["tokens"] })
  })
  const command = `TROUPE_SERVER_URL=${window.location.origin} TROUPE_RUNNER_TOKEN=${create.data?.secret ?? ""} npx troupe runner`
  return (
    <Panel
      title="Add a runner"
      isOpen
      onClose={onClose}
      footer={
        create.data === undefined ? (
          <button
            type="button"
            className="button first"
            disabled={name.trim() === "" || create.isPending}
            onClick={() => create.mutate()}
          >
            Make a token
          </button>
        ) : (
          <button type="button" className="button first" onClick={onClose}>
            Done
          </button>
        )
      }
    >
      <p className="soft">
        A runner dials in from wherever it is: a laptop behind NAT, a VPC, a CI machine. It needs this server's address
        and a registration token.
      </p>
      {create.data === undefined ? (
        <TextField id="runner-name" title="What is the token for?" value={name} onChange={setName} />
      ) : (
        <div className="field">
          <span className="label">Run this there. The token is shown only now.</span>
          <div className="secret">
            <code>{command}</code>
            <CopyButton text={command} />
          </div>
        </div>
      )}
      {create.error === null ? null : <Problem error={create.error} />}
    </Panel>
  )
}

const Revoke = ({ onClose, runner }: { readonly runner: Runner; readonly onClose: () => void }) => {
  const client = useQueryClient()
  const revoke = useMutation({
    mutationFn: () => troupe.tokens.revoke(runner.token_id),
    onSuccess: () => {
      onClose()
      void client.invalidateQueries({ queryKey: queries.runners.queryKey })
    }
  })
  return (
    <Confirm
      title={`Revoke ${runner.name}?`}
      isOpen
      onClose={onClose}
      word="Revoke"
      of={revoke}
      onConfirm={() => revoke.mutate()}
    >
      <p>
        It is cut off within five seconds and can't come back. Its sessions move on to other runners, from their last
        checkpoints; calls that it had begun count as unknown. Nothing of the log is lost.
      </p>
    </Confirm>
  )
}

/** Those that can come back. */
const living = (runners: ReadonlyArray<Runner>) => runners.filter(({ status }) => status !== "revoked")

const RunnersPage = () => {
  const runners = useQuery({ ...queries.runners, select: living, refetchInterval: 3_000 })
  const [isAdding, setAdding] = useState(false)
  const [leaving, setLeaving] = useState<Runner | null>(null)
  return (
    <>
      <PageHeader title="Runners" asked={listAsked("runners", "runners", "runners")}>
        <span className="faint number">
          {count(runners.data?.filter(({ status }) => status === "connected").length ?? 0)} connected
        </span>
        <button type="button" className="button first" onClick={() => setAdding(true)}>
          Add a runner
        </button>
      </PageHeader>
      <div className="page-body" tabIndex={0} role="region" aria-label="Runners">
        <Loaded of={runners}>
          {(shown) =>
            shown.length === 0 ? (
              <Empty icon={Server} title="No runner has come yet">
                <p>A runner hosts sandboxes and drives models. Turns wait until one is connected.</p>
              </Empty>
            ) : (
              <ul className="cards">
                {shown.map((runner) => (
                  <Card key={runner.id} runner={runner} onRevoke={() => setLeaving(runner)} />
                ))}
              </ul>
            )
          }
        </Loaded>
      </div>
      {leaving === null ? null : <Revoke runner={leaving} onClose={() => setLeaving(null)} />}
      {isAdding ? <AddRunner onClose={() => setAdding(false)} /> : null}
    </>
  )
}
export default RunnersPage
