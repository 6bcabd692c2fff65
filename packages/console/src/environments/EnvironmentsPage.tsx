import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { Boxes, Plus } from "lucide-react"
import { useState } from "react"
import type { EnvironmentCreate } from "@troupe/client"
import * as queries from "../api/queries.ts"
import { troupe } from "../api/troupe.ts"
import { listAsked } from "../app/copies.logic.ts"
import { usePlace, WorkspaceLink } from "../app/links.tsx"
import { PageHeader } from "../app/PageHeader.tsx"
import { Ago } from "../ui/Ago.tsx"
import { Empty } from "../ui/Empty.tsx"
import { Loaded } from "../ui/Loaded.tsx"
import { Panel } from "../ui/Panel.tsx"
import { EnvironmentForm } from "./EnvironmentForm.tsx"
import { networkOf, packagesOf } from "./environments.logic.ts"

const NewEnvironment = ({ onClose }: { readonly onClose: () => void }) => {
  const client = useQueryClient()
  const create = useMutation({
    mutationFn: (body: EnvironmentCreate) => troupe.environments.create(body),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: queries.environments.queryKey, exact: true })
      void client.invalidateQueries({ queryKey: queries.allEnvironments.queryKey })
      onClose()
    }
  })
  return (
    <Panel title="New environment" isOpen onClose={onClose}>
      <EnvironmentForm
        environment={null}
        verb="Make it"
        isBusy={create.isPending}
        error={create.error}
        onSubmit={create.mutate}
      />
    </Panel>
  )
}

const EnvironmentsPage = () => {
  const [place, change] = usePlace()
  const withArchived = place["archived"] === "1"
  const environments = useQuery(withArchived ? queries.allEnvironments : queries.environments)
  const [isMaking, setMaking] = useState(false)
  const make = (
    <button type="button" className="button first" aria-label="New environment" onClick={() => setMaking(true)}>
      <Plus size={14} /> <span className="optional">New environment</span>
    </button>
  )
  return (
    <>
      <PageHeader title="Environments" asked={listAsked("environments", "environments", "environments")}>
        <label className="check">
          <input
            type="checkbox"
            checked={withArchived}
            onChange={(event) => change({ archived: event.target.checked ? "1" : undefined })}
          />
          Archived
        </label>
        {make}
      </PageHeader>
      <div className="page-body" tabIndex={0} role="region" aria-label="Environments">
        <Loaded of={environments}>
          {(data) =>
            data.length === 0 ? (
              <Empty icon={Boxes} title="No environments yet">
                <p>
                  An environment says how sandboxes are made: their packages, where their programs may connect to, how
                  large they are. Sessions without one get a plain sandbox.
                </p>
              </Empty>
            ) : (
              <table className="table">
                <thead>
                  <tr>
                    <th>Name</th>
                    <th>Connects to</th>
                    <th className="optional">Packages</th>
                    <th className="optional">Sandbox</th>
                    <th className="right optional">Changed</th>
                  </tr>
                </thead>
                <tbody>
                  {data.map((environment) => (
                    <tr key={environment.id}>
                      <td className="wide">
                        <WorkspaceLink to={`environments/${environment.id}`}>{environment.name}</WorkspaceLink>{" "}
                        {environment.archived_at === null ? null : <span className="badge">archived</span>}{" "}
                        <span className="faint">{environment.description}</span>
                      </td>
                      <td className="soft">{networkOf(environment)}</td>
                      <td className="soft optional">{packagesOf(environment)}</td>
                      <td className="soft optional">{environment.troupe.backend ?? "the runner's choice"}</td>
                      <td className="right faint optional">
                        <Ago at={Date.parse(environment.updated_at)} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )
          }
        </Loaded>
      </div>
      {isMaking ? <NewEnvironment onClose={() => setMaking(false)} /> : null}
    </>
  )
}
export default EnvironmentsPage
