import { useMutation, useQueryClient } from "@tanstack/react-query"
import type { AgentCreate } from "@troupe/client"
import { troupe } from "../api/troupe.ts"
import { useGo } from "../app/links.tsx"
import { PageHeader } from "../app/PageHeader.tsx"
import { AgentForm } from "./AgentForm.tsx"
import { type AgentDraft, toolset, withPolicies, withServers } from "./agents.logic.ts"
import { withChoices } from "./toolChoices.logic.ts"

const NewAgentPage = () => {
  const go = useGo()
  const client = useQueryClient()
  const create = useMutation({
    mutationFn: ({ choices = {}, model, name, permission, policies = "[]", servers, system }: AgentDraft) => {
      const { mcp_servers, tools } = withServers({ mcp_servers: [], tools: [toolset(permission)] }, servers)
      return troupe.agents.create({
        name,
        model,
        system: system === "" ? null : system,
        mcp_servers,
        tools: withChoices(tools, choices),
        ...withPolicies(policies)
      } as AgentCreate)
    },
    onSuccess: ({ id }) => {
      void client.invalidateQueries({ queryKey: ["agents"] })
      go(`agents/${id}`, { replace: true })
    }
  })
  return (
    <>
      <PageHeader title="New agent" />
      <div className="page-body">
        <div className="column">
          <AgentForm
            agent={null}
            isBusy={create.isPending}
            error={create.error}
            verb="Make it"
            onSubmit={create.mutate}
          />
        </div>
      </div>
    </>
  )
}
export default NewAgentPage
