import { useQuery } from "@tanstack/react-query"
import { Bot, Plus } from "lucide-react"
import * as queries from "../api/queries.ts"
import { WorkspaceLink } from "../app/links.tsx"
import { listAsked } from "../app/copies.logic.ts"
import { PageHeader } from "../app/PageHeader.tsx"
import { Ago } from "../ui/Ago.tsx"
import { Empty } from "../ui/Empty.tsx"
import { Loaded } from "../ui/Loaded.tsx"
import { toolsOf } from "./agents.logic.ts"

const AgentsPage = () => {
  const agents = useQuery(queries.agents)
  return (
    <>
      <PageHeader title="Agents" asked={listAsked("agents", "agents", "agents")}>
        <WorkspaceLink to="agents/new" className="button first">
          <Plus size={14} /> New agent
        </WorkspaceLink>
      </PageHeader>
      <div className="page-body" tabIndex={0} role="region" aria-label="Agents">
        <Loaded of={agents}>
          {(data) =>
            data.length === 0 ? (
              <Empty
                icon={Bot}
                title="No agents yet"
                actions={
                  <WorkspaceLink to="agents/new" className="button first">
                    Make an agent
                  </WorkspaceLink>
                }
              >
                <p>
                  An agent is a model with instructions, tools and policies. Every change makes a new version; sessions
                  keep the one they began with.
                </p>
              </Empty>
            ) : (
              <table className="table">
                <thead>
                  <tr>
                    <th>Name</th>
                    <th>Model</th>
                    <th className="optional">Tools</th>
                    <th className="right">Version</th>
                    <th className="right optional">Changed</th>
                  </tr>
                </thead>
                <tbody>
                  {data.map((agent) => (
                    <tr key={agent.id}>
                      <td className="wide">
                        <WorkspaceLink to={`agents/${agent.id}`}>{agent.name}</WorkspaceLink>{" "}
                        <span className="faint">{agent.description}</span>
                      </td>
                      <td>
                        <code className="soft">{agent.model.id}</code>
                      </td>
                      <td className="soft optional">{toolsOf(agent)}</td>
                      <td className="right number">{agent.version}</td>
                      <td className="right faint optional">
                        <Ago at={Date.parse(agent.updated_at)} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )
          }
        </Loaded>
      </div>
    </>
  )
}
export default AgentsPage
