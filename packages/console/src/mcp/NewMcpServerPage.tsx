import { useMutation, useQueryClient } from "@tanstack/react-query"
import type { McpServerCreate } from "@troupe/client"
import * as queries from "../api/queries.ts"
import { troupe } from "../api/troupe.ts"
import { useGo } from "../app/links.tsx"
import { PageHeader } from "../app/PageHeader.tsx"
import { ServerForm } from "./ServerForm.tsx"
import "./mcp.css"

const NewMcpServerPage = () => {
  const go = useGo()
  const client = useQueryClient()
  const create = useMutation({
    mutationFn: (body: McpServerCreate) => troupe.mcpServers.create(body),
    onSuccess: ({ id }) => {
      void client.invalidateQueries({ queryKey: queries.mcpServers.queryKey })
      go(`mcp/${id}`, { replace: true })
    }
  })
  return (
    <>
      <PageHeader title="Add an MCP server" />
      <div className="page-body" tabIndex={0} role="region" aria-label="Add an MCP server">
        <div className="column">
          <ServerForm
            server={null}
            isBusy={create.isPending}
            error={create.error}
            verb="Add it"
            onSubmit={create.mutate}
          />
        </div>
      </div>
    </>
  )
}
export default NewMcpServerPage
