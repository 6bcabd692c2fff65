import { useQuery } from "@tanstack/react-query"
import { Plug, Plus } from "lucide-react"
import type { Agent, McpServer } from "@troupe/client"
import * as queries from "../api/queries.ts"
import { listAsked } from "../app/copies.logic.ts"
import { WorkspaceLink } from "../app/links.tsx"
import { PageHeader } from "../app/PageHeader.tsx"
import { Empty } from "../ui/Empty.tsx"
import { plural } from "../ui/format.logic.ts"
import { Loaded } from "../ui/Loaded.tsx"
import { loginOf, reachOf, usersOf } from "./mcp.logic.ts"
import "./mcp.css"

const Row = ({ agents, server }: { readonly server: McpServer; readonly agents: ReadonlyArray<Agent> }) => {
  const { text, tone } = loginOf(server)
  const users = usersOf(agents, server.id).length
  return (
    <tr>
      <td className="wide">
        <WorkspaceLink to={`mcp/${server.id}`}>{server.name}</WorkspaceLink>{" "}
        <span className="faint">{server.description}</span>
      </td>
      <td className="soft optional">
        <code className="cut reach">{reachOf(server)}</code>
      </td>
      <td className="soft optional">{users === 0 ? "–" : plural(users, "agent")}</td>
      <td className="right">
        <span className={`badge ${tone}`}>{text}</span>
      </td>
    </tr>
  )
}

const McpServersPage = () => {
  const servers = useQuery(queries.mcpServers)
  const agents = useQuery(queries.agents)
  const add = (
    <WorkspaceLink to="mcp/new" className="button first">
      <Plus size={14} /> Add a server
    </WorkspaceLink>
  )
  return (
    <>
      <PageHeader title="MCP servers" asked={listAsked("mcp_servers", "mcpServers", "mcp")}>
        {add}
      </PageHeader>
      <div className="page-body" tabIndex={0} role="region" aria-label="MCP servers">
        <Loaded of={servers}>
          {(data) =>
            data.length === 0 ? (
              <Empty icon={Plug} title="No MCP servers yet" actions={add}>
                <p>
                  An MCP server gives agents tools that Troupe doesn't have: your tracker, your docs, your database. Its
                  address, its headers and its login are kept here once, and agents name it.
                </p>
              </Empty>
            ) : (
              <table className="table">
                <thead>
                  <tr>
                    <th>Name</th>
                    <th className="optional">Reached by</th>
                    <th className="optional">Used by</th>
                    <th className="right">Login</th>
                  </tr>
                </thead>
                <tbody>
                  {data.map((server) => (
                    <Row key={server.id} server={server} agents={agents.data ?? []} />
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
export default McpServersPage
