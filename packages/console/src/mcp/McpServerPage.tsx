import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { useParams } from "@tanstack/react-router"
import { useState } from "react"
import type { McpServer, McpServerUpdate } from "@troupe/client"
import * as queries from "../api/queries.ts"
import { troupe } from "../api/troupe.ts"
import { oneAsked } from "../app/copies.logic.ts"
import { useGo, WorkspaceLink } from "../app/links.tsx"
import { Crumbs } from "../app/Crumbs.tsx"
import { PageHeader } from "../app/PageHeader.tsx"
import { Confirm } from "../ui/Confirm.tsx"
import { CopyButton } from "../ui/CopyButton.tsx"
import { Loaded } from "../ui/Loaded.tsx"
import { LoginSection } from "./LoginSection.tsx"
import { snippet, usersOf } from "./mcp.logic.ts"
import { ServerForm } from "./ServerForm.tsx"
import { ToolsSection } from "./ToolsSection.tsx"
import "./mcp.css"

const Users = ({ server }: { readonly server: McpServer }) => {
  const agents = useQuery(queries.agents)
  const text = snippet(server)
  return (
    <section className="mcp-part" aria-labelledby="mcp-users">
      <h2 id="mcp-users">Agents that use it</h2>
      <Loaded of={agents} rows={1} isInset>
        {(data) => {
          const users = usersOf(data, server.id)
          return users.length === 0 ? (
            <>
              <p className="soft">
                None yet. Choose it in an agent's form, or write this into the agent; each of its tools asks before a
                call, unless the agent says otherwise.
              </p>
              <div className="secret">
                <code className="snippet">{text}</code>
                <CopyButton text={text} />
              </div>
            </>
          ) : (
            <ul className="mcp-users">
              {users.map(({ id, name }) => (
                <li key={id}>
                  <WorkspaceLink className="link" to={`agents/${id}`}>
                    {name}
                  </WorkspaceLink>
                </li>
              ))}
            </ul>
          )
        }}
      </Loaded>
    </section>
  )
}

const Server = ({ server }: { readonly server: McpServer }) => {
  const client = useQueryClient()
  const go = useGo()
  const [isLeaving, setLeaving] = useState(false)
  const refresh = () => void client.invalidateQueries({ queryKey: queries.mcpServers.queryKey })
  const save = useMutation({
    mutationFn: (body: McpServerUpdate) => troupe.mcpServers.update(server.id, body),
    onSuccess: (changed) => {
      client.setQueryData(queries.mcpServer(server.id).queryKey, changed)
      refresh()
    }
  })
  const remove = useMutation({
    mutationFn: () => troupe.mcpServers.delete(server.id),
    onSuccess: () => {
      refresh()
      go("mcp")
    }
  })
  return (
    <div className="column">
      {server.server.type === "url" ? <LoginSection server={server} /> : null}
      <ToolsSection server={server} />
      <Users server={server} />
      <section className="mcp-part" aria-labelledby="mcp-form">
        <h2 id="mcp-form">What it is</h2>
        <ServerForm
          key={server.updated_at}
          server={server}
          isBusy={save.isPending}
          error={save.error}
          verb="Save"
          onSubmit={save.mutate}
        />
      </section>
      <div className="notice">
        <strong>Delete this server</strong>
        <span className="soft">Its headers and its login go with it. One that an agent uses stays.</span>
        <span className="actions">
          <button type="button" className="button danger" onClick={() => setLeaving(true)}>
            Delete
          </button>
        </span>
      </div>
      <Confirm
        title={`Delete ${server.name}?`}
        isOpen={isLeaving}
        onClose={() => setLeaving(false)}
        word="Delete"
        of={remove}
        onConfirm={() => remove.mutate()}
      >
        <p>
          Its headers and its login are gone with it. Sessions that know it go on without what it was sent. This can't
          be undone.
        </p>
      </Confirm>
    </div>
  )
}

const McpServerPage = () => {
  const { server: id } = useParams({ strict: false }) as { readonly server: string }
  const server = useQuery(queries.mcpServer(id))
  return (
    <>
      <PageHeader
        asked={oneAsked("mcp_servers", "mcpServers", "mcp show", id)}
        title={<Crumbs to="mcp" all="MCP servers" name={server.data?.name ?? "…"} />}
      />
      <div className="page-body" tabIndex={0} role="region" aria-label="MCP server">
        <Loaded of={server}>{(found) => <Server server={found} />}</Loaded>
      </div>
    </>
  )
}
export default McpServerPage
