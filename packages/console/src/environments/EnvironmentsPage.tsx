import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { Boxes, Plus } from "lucide-react"
import { type FormEvent, useState } from "react"
import * as queries from "../api/queries.ts"
import { troupe } from "../api/troupe.ts"
import { listAsked } from "../app/copies.logic.ts"
import { PageHeader } from "../app/PageHeader.tsx"
import { Ago } from "../ui/Ago.tsx"
import { Empty } from "../ui/Empty.tsx"
import { Loaded } from "../ui/Loaded.tsx"
import { Panel } from "../ui/Panel.tsx"
import { Problem } from "../ui/Problem.tsx"
import { hostsOf, networkOf, packagesOf } from "./environments.logic.ts"

const NewEnvironment = ({ onClose }: { readonly onClose: () => void }) => {
  const client = useQueryClient()
  const [name, setName] = useState("")
  const [reach, setReach] = useState<"limited" | "unrestricted">("limited")
  const [hosts, setHosts] = useState("")
  const [allowsPackages, setAllowsPackages] = useState(true)
  const create = useMutation({
    mutationFn: () =>
      troupe.environments.create({
        name: name.trim(),
        config: {
          type: "cloud",
          networking:
            reach === "unrestricted"
              ? { type: "unrestricted" }
              : { type: "limited", allowed_hosts: hostsOf(hosts), allow_package_managers: allowsPackages }
        }
      }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["environments"] })
      onClose()
    }
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    create.mutate()
  }
  return (
    <Panel
      title="New environment"
      isOpen
      onClose={onClose}
      footer={
        <button
          type="submit"
          form="new-environment"
          className="button first"
          disabled={name.trim() === "" || create.isPending}
        >
          Make it
        </button>
      }
    >
      <form id="new-environment" className="form" onSubmit={submit}>
        <div className="field">
          <label htmlFor="environment-name">Name</label>
          <input
            id="environment-name"
            className="input"
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        </div>
        <div className="field">
          <label htmlFor="environment-reach">Programs may connect to</label>
          <select
            id="environment-reach"
            className="input"
            value={reach}
            onChange={(event) => setReach(event.target.value as typeof reach)}
          >
            <option value="limited">named hosts only</option>
            <option value="unrestricted">everywhere</option>
          </select>
        </div>
        {reach === "unrestricted" ? null : (
          <>
            <div className="field">
              <label htmlFor="environment-hosts">Hosts</label>
              <textarea
                id="environment-hosts"
                className="input mono"
                rows={3}
                placeholder="api.github.com *.example.com"
                value={hosts}
                onChange={(event) => setHosts(event.target.value)}
              />
            </div>
            <label className="check">
              <input
                type="checkbox"
                checked={allowsPackages}
                onChange={(event) => setAllowsPackages(event.target.checked)}
              />
              and the registries of package managers
            </label>
          </>
        )}
        {create.error === null ? null : <Problem error={create.error} />}
      </form>
    </Panel>
  )
}

const EnvironmentsPage = () => {
  const environments = useQuery(queries.environments)
  const [isMaking, setMaking] = useState(false)
  const make = (
    <button type="button" className="button first" onClick={() => setMaking(true)}>
      <Plus size={14} /> New environment
    </button>
  )
  return (
    <>
      <PageHeader title="Environments" asked={listAsked("environments", "environments", "environments")}>
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
                        <strong>{environment.name}</strong> <span className="faint">{environment.description}</span>
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
