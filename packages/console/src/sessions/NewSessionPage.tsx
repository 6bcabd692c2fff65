import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { type FormEvent, useState } from "react"
import * as queries from "../api/queries.ts"
import { troupe } from "../api/troupe.ts"
import { useGo, usePlace, WorkspaceLink } from "../app/links.tsx"
import { PageHeader } from "../app/PageHeader.tsx"
import { LimitRows } from "../limits/LimitRows.tsx"
import { type LimitDraft, sessionLimitsIn, wrongWithSession } from "../limits/limits.logic.ts"
import { Skeleton } from "../ui/Empty.tsx"
import { Keys } from "../ui/Keys.tsx"
import { Problem } from "../ui/Problem.tsx"
import { centsOf, starterAgent, titleOf } from "./newSession.logic.ts"

const NewSessionPage = () => {
  const [place] = usePlace()
  const go = useGo()
  const client = useQueryClient()
  const agents = useQuery(queries.agents)
  const environments = useQuery(queries.environments)
  const models = useQuery(queries.models)
  const runners = useQuery(queries.runners)
  const [prompt, setPrompt] = useState("")
  const [agent, setAgent] = useState(place["agent"] ?? "")
  const [environment, setEnvironment] = useState("")
  const [budget, setBudget] = useState("")
  const [limits, setLimits] = useState<ReadonlyArray<LimitDraft>>([])
  const cents = centsOf(budget)
  const wrong = wrongWithSession(limits)
  const living = agents.data?.filter(({ archived_at }) => archived_at === null) ?? []

  const create = useMutation({
    mutationFn: async () => {
      const chosen =
        agent !== ""
          ? agent
          : (living[0] ?? (await troupe.agents.create(starterAgent(models.data?.[0]?.id ?? "demo")))).id
      return troupe.sessions.create({
        agent: chosen,
        title: titleOf(prompt),
        ...(environment === "" ? {} : { environment_id: environment }),
        ...(cents == null ? {} : { budget: { type: "limit", max_list_cost: { amount: cents, currency: "USD" } } }),
        ...(limits.length === 0 ? {} : { troupe: { limits: sessionLimitsIn(limits) } }),
        initial_events: [{ type: "user.message", content: [{ type: "text", text: prompt.trim() }] }]
      })
    },
    onSuccess: ({ id }) => {
      void client.invalidateQueries({ queryKey: ["newest-sessions"] })
      go(`sessions/${id}`, { replace: true })
    }
  })
  const isReady = prompt.trim() !== "" && cents !== undefined && wrong === null && !create.isPending
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (isReady) create.mutate()
  }
  const isDemo = (living.find(({ id }) => id === agent) ?? living[0])?.model.id === "demo" || living.length === 0
  const hasRunner = runners.data?.some(({ status }) => status === "connected") ?? true

  return (
    <>
      <PageHeader title="New session" />
      <div className="page-body">
        {agents.isPending ? (
          <Skeleton />
        ) : (
          <form className="column" onSubmit={submit}>
            <div className="field">
              <label htmlFor="prompt">What is to be done?</label>
              <textarea
                id="prompt"
                className="input"
                rows={6}
                autoFocus
                value={prompt}
                placeholder={isDemo ? "run: uname -a" : "Say it as you would to a colleague"}
                onChange={(event) => setPrompt(event.target.value)}
                onKeyDown={(event) => (event.metaKey || event.ctrlKey) && event.key === "Enter" && submit(event)}
              />
              {isDemo ? (
                <span className="hint">
                  The demo model needs no key and follows simple lines: <code>run: COMMAND</code>,{" "}
                  <code>write file PATH TEXT</code>, <code>read file PATH</code>, <code>ask me Which? red / blue</code>.
                </span>
              ) : null}
            </div>
            <div className="field-row">
              <div className="field">
                <label htmlFor="agent">Agent</label>
                <select id="agent" className="input" value={agent} onChange={(event) => setAgent(event.target.value)}>
                  {living.length === 0 ? <option value="">Assistant (made for you)</option> : null}
                  {living.map(({ id, model, name }) => (
                    <option key={id} value={id}>
                      {name} · {model.id}
                    </option>
                  ))}
                </select>
              </div>
              <div className="field">
                <label htmlFor="environment">Environment</label>
                <select
                  id="environment"
                  className="input"
                  value={environment}
                  onChange={(event) => setEnvironment(event.target.value)}
                >
                  <option value="">The usual one</option>
                  {environments.data
                    ?.filter(({ archived_at }) => archived_at === null)
                    .map(({ id, name }) => (
                      <option key={id} value={id}>
                        {name}
                      </option>
                    ))}
                </select>
              </div>
              <div className="field">
                <label htmlFor="budget">Budget</label>
                <input
                  id="budget"
                  className="input"
                  inputMode="decimal"
                  placeholder="No limit"
                  value={budget}
                  aria-invalid={cents === undefined}
                  aria-describedby={cents === undefined ? "budget-hint" : undefined}
                  onChange={(event) => setBudget(event.target.value)}
                />
                {cents === undefined ? (
                  <span id="budget-hint" className="hint">
                    Dollars, such as 2.50
                  </span>
                ) : null}
              </div>
            </div>
            <LimitRows title="Other limits" limits={limits} hasScope wrong={wrong} onChange={setLimits} />
            {hasRunner ? null : (
              <div className="notice">
                <strong>No runner is connected</strong>
                <span className="soft">
                  The session starts once one is. <WorkspaceLink to="runners">Look at the runners</WorkspaceLink>
                </span>
              </div>
            )}
            {create.error === null ? null : <Problem error={create.error} />}
            <div className="form-foot">
              <button type="submit" className="button first" disabled={!isReady}>
                {create.isPending ? "Starting …" : "Start"} <Keys of="mod+enter" />
              </button>
            </div>
          </form>
        )}
      </div>
    </>
  )
}
export default NewSessionPage
