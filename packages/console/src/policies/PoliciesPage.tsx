import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import type { WorkspacePolicies } from "@troupe/client"
import { allOf, troupe } from "../api/troupe.ts"
import { usePlace } from "../app/links.tsx"
import { PageHeader } from "../app/PageHeader.tsx"
import { Loaded } from "../ui/Loaded.tsx"
import { Problem } from "../ui/Problem.tsx"
import { Segments } from "../ui/Segments.tsx"
import { Versions } from "../ui/Versions.tsx"
import { linesOf, readPolicies, textOf } from "./policies.logic.ts"
import { PolicyField } from "./PolicyField.tsx"
import { TryCall } from "./TryCall.tsx"

const tabs = [
  { id: "", title: "In force" },
  { id: "versions", title: "Versions" }
] as const

const asked = { path: "/v1/policies", client: "troupe.policies.retrieve()", command: "policies show" }

const InForce = ({ current }: { readonly current: WorkspacePolicies }) => {
  const client = useQueryClient()
  const [text, setText] = useState(() => textOf(current.policies))
  const read = readPolicies(text)
  const isChanged = text !== textOf(current.policies)
  const save = useMutation({
    mutationFn: (policies: WorkspacePolicies["policies"]) =>
      troupe.policies.update({ version: current.version, policies }),
    onSuccess: () => void client.invalidateQueries({ queryKey: ["policies"] })
  })
  const policies = read._tag === "Read" ? read.policies : current.policies
  return (
    <div className="column">
      {current.policies.length === 0 ? (
        <p className="soft">
          None: what agents and their tools say for themselves holds. A policy of the workspace holds for all of its
          sessions; where several speak of a call, the strictest counts. A preset is a good beginning.
        </p>
      ) : (
        <ol className="policies" aria-label="Policies in force">
          {current.policies.map((policy, at) => (
            <li key={JSON.stringify(policy) + String(at)}>
              {linesOf(policy).map((line) => (
                <p key={line}>{line}</p>
              ))}
            </li>
          ))}
        </ol>
      )}
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault()
          if (read._tag === "Read") save.mutate(read.policies)
        }}
      >
        <PolicyField
          id="policies"
          title={current.version === 0 ? "Policies" : `All of version ${current.version}`}
          rowsMin={6}
          text={text}
          onChange={setText}
        />
        {save.error === null ? null : <Problem error={save.error} />}
        <div className="form-foot">
          <button
            type="submit"
            className="button first"
            disabled={!isChanged || read._tag === "Wrong" || save.isPending}
          >
            Save a new version
          </button>
        </div>
      </form>
      <section aria-labelledby="try-call" className="try-call">
        <h2 id="try-call">Try a call</h2>
        <p className="soft">
          Nothing is called.{" "}
          {isChanged ? "What is written above is tried, saved or not." : "What is in force is tried."}
        </p>
        <TryCall policies={isChanged ? policies : null} />
      </section>
    </div>
  )
}

const History = ({ version }: { readonly version: number }) => {
  const versions = useQuery({
    queryKey: ["policies", "versions", version],
    queryFn: () => allOf(troupe.policies.versions({ limit: 100 }))
  })
  return (
    <div className="column broad">
      <Loaded of={versions} isInset>
        {(data) =>
          data.length === 0 ? (
            <p className="soft">No version was ever saved.</p>
          ) : (
            <Versions
              versions={data.map((one) => ({
                version: one.version,
                at: one.created_at,
                text: textOf(one.policies)
              }))}
            />
          )
        }
      </Loaded>
    </div>
  )
}

const PoliciesPage = () => {
  const [place, change] = usePlace()
  const current = useQuery({
    queryKey: ["policies"],
    queryFn: ({ signal }) => troupe.policies.retrieve({}, { signal })
  })
  const tab = place["tab"] ?? ""
  return (
    <>
      <PageHeader title="Policies" asked={asked}>
        <Segments name="View" value={tab} options={tabs} onChange={(id) => change({ tab: id })} />
      </PageHeader>
      <div className="page-body" tabIndex={0} role="region" aria-label="Policies">
        <Loaded of={current}>
          {(found) =>
            tab === "versions" ? <History version={found.version} /> : <InForce key={found.version} current={found} />
          }
        </Loaded>
      </div>
    </>
  )
}
export default PoliciesPage
