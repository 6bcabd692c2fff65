import { useMutation, useQuery } from "@tanstack/react-query"
import { builtInTools } from "@troupe/domain/tools/Toolset"
import { type FormEvent, useState } from "react"
import type { PolicyDryRun } from "@troupe/client"
import * as queries from "../api/queries.ts"
import { troupe } from "../api/troupe.ts"
import { Problem } from "../ui/Problem.tsx"
import { type Policy, type Trial, trialOf, verdictShown } from "./policies.logic.ts"

/** What would become of a call that nobody makes, under the policies that are being written. */
export const TryCall = ({ policies }: { readonly policies: ReadonlyArray<Policy> | null }) => {
  const agents = useQuery(queries.agents)
  const [trial, setTrial] = useState<Trial>({
    tool: "bash",
    input: '{ "command": "git push --force" }',
    agentId: ""
  })
  const change = (some: Partial<Trial>) => setTrial((now) => ({ ...now, ...some }))
  const asked = trialOf(trial, policies)
  const run = useMutation({ mutationFn: (body: PolicyDryRun) => troupe.policies.dryRun(body) })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (asked._tag === "Asked") run.mutate(asked.body)
  }
  const verdict = run.data === undefined ? null : verdictShown(run.data)
  return (
    <form className="form" onSubmit={submit} aria-label="Try a call">
      <div className="field-row">
        <div className="field">
          <label htmlFor="try-tool">Tool</label>
          <input
            id="try-tool"
            className="input mono"
            list="try-tools"
            spellCheck={false}
            value={trial.tool}
            onChange={(event) => change({ tool: event.target.value })}
          />
          <datalist id="try-tools">
            {builtInTools.map((name) => (
              <option key={name} value={name} />
            ))}
          </datalist>
        </div>
        <div className="field">
          <label htmlFor="try-agent">As called by</label>
          <select
            id="try-agent"
            className="input"
            value={trial.agentId}
            onChange={(event) => change({ agentId: event.target.value })}
          >
            <option value="">an agent with the usual tools</option>
            {agents.data?.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </div>
      </div>
      <div className="field">
        <label htmlFor="try-input">Arguments</label>
        <textarea
          id="try-input"
          className="input mono"
          rows={3}
          spellCheck={false}
          value={trial.input}
          aria-invalid={asked._tag === "Wrong"}
          onChange={(event) => change({ input: event.target.value })}
        />
        {asked._tag === "Wrong" ? <span className="hint">{asked.why}</span> : null}
      </div>
      {verdict === null ? null : (
        <div className="verdict" role="status">
          <span className={`badge ${verdict.tone}`}>{verdict.text}</span> <span>{verdict.by}</span>
          <code className="faint">{verdict.rule}</code>
          {verdict.reason === null ? null : <p className="soft">{verdict.reason}</p>}
        </div>
      )}
      {run.error === null ? null : <Problem error={run.error} />}
      <div className="form-foot">
        <button type="submit" className="button" disabled={asked._tag === "Wrong" || run.isPending}>
          What would happen?
        </button>
      </div>
    </form>
  )
}
