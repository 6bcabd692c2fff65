import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { useParams } from "@tanstack/react-router"
import { Play } from "lucide-react"
import { lazy, Suspense, useCallback, useState } from "react"
import type { Agent } from "@troupe/client"
import { allOf, troupe } from "../api/troupe.ts"
import { oneAsked } from "../app/copies.logic.ts"
import { useGo, usePlace } from "../app/links.tsx"
import { Crumbs } from "../app/Crumbs.tsx"
import { PageHeader } from "../app/PageHeader.tsx"
import { JsonForm } from "../ui/JsonForm.tsx"
import { Loaded } from "../ui/Loaded.tsx"
import { Segments } from "../ui/Segments.tsx"
import { Versions } from "../ui/Versions.tsx"
import { AgentForm } from "./AgentForm.tsx"
import { type AgentDraft, changeOf, definitionOf } from "./agents.logic.ts"
import { agentToTry } from "./try.logic.ts"

const TryPane = lazy(() => import("./TryPane.tsx"))

const tabs = [
  { id: "", title: "Edit" },
  { id: "json", title: "JSON" },
  { id: "versions", title: "Versions" }
] as const

const History = ({ agent }: { readonly agent: Agent }) => {
  const versions = useQuery({
    queryKey: ["agent-versions", agent.id, agent.version],
    queryFn: () => allOf(troupe.agents.versions.list(agent.id, { limit: 100 }))
  })
  return (
    <Loaded of={versions} isInset>
      {(data) => (
        <Versions
          versions={data.map((one) => ({ version: one.version, at: one.updated_at, text: definitionOf(one) }))}
        />
      )}
    </Loaded>
  )
}

const AgentPage = () => {
  const { agent: id } = useParams({ strict: false }) as { readonly agent: string }
  const [place, change] = usePlace()
  const client = useQueryClient()
  const go = useGo()
  const asked = useQuery({
    queryKey: ["agent", id],
    queryFn: ({ signal }) => troupe.agents.retrieve(id, {}, { signal })
  })
  const agent = asked.data
  const save = useMutation({
    mutationFn: (body: object) => troupe.agents.update(id, { ...body, version: agent!.version }),
    onSuccess: (saved) => {
      client.setQueryData(["agent", id], saved)
      void client.invalidateQueries({ queryKey: ["agents"] })
    }
  })
  const archive = useMutation({
    mutationFn: () => troupe.agents.archive(id),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["agents"] })
      go("agents")
    }
  })
  const [edited, setEdited] = useState<object>({})
  const [isTrying, setTrying] = useState(false)
  const onDraft = useCallback(
    (draft: AgentDraft) => {
      if (agent !== undefined) setEdited(changeOf(agent, draft))
    },
    [agent]
  )
  if (agent === undefined) {
    return (
      <>
        <PageHeader title="Agent" />
        <Loaded of={asked}>{() => null}</Loaded>
      </>
    )
  }
  const tab = place["tab"] ?? ""
  return (
    <>
      <PageHeader
        asked={oneAsked("agents", "agents", "agents show", id)}
        title={
          <Crumbs to="agents" all="Agents" name={agent.name}>
            <span className="badge optional">v{agent.version}</span>
          </Crumbs>
        }
      >
        <Segments name="View" value={tab} options={tabs} onChange={(next) => change({ tab: next })} />
        <button
          type="button"
          className="button first"
          aria-label="Try it"
          aria-pressed={isTrying}
          onClick={() => setTrying(!isTrying)}
        >
          <Play size={12} fill="currentColor" /> <span className="optional">Try it</span>
        </button>
      </PageHeader>
      <div className="with-try">
        <div className="page-body" tabIndex={0} role="region" aria-label="Agent">
          <div className={tab === "versions" ? "column broad" : "column"}>
            {tab === "versions" ? (
              <History agent={agent} />
            ) : tab === "json" ? (
              <JsonForm
                key={agent.version}
                title={`All of version ${agent.version}`}
                what="An agent"
                definition={definitionOf(agent)}
                verb="Save a new version"
                isBusy={save.isPending}
                error={save.error}
                onSubmit={save.mutate}
                onDraft={setEdited}
              />
            ) : (
              <>
                <AgentForm
                  key={agent.version}
                  agent={agent}
                  isBusy={save.isPending}
                  error={save.error}
                  verb="Save a new version"
                  onSubmit={(draft) => save.mutate(changeOf(agent, draft))}
                  onDraft={onDraft}
                />
                <div className="notice">
                  <strong>Archive this agent</strong>
                  <span className="soft">Its sessions go on. No new ones can be started with it.</span>
                  <span className="actions">
                    <button
                      type="button"
                      className="button danger"
                      disabled={archive.isPending}
                      onClick={() => archive.mutate()}
                    >
                      Archive
                    </button>
                  </span>
                </div>
              </>
            )}
          </div>
        </div>
        {isTrying ? (
          <Suspense>
            <TryPane name={agent.name} agent={agentToTry(agent, edited as never)} onClose={() => setTrying(false)} />
          </Suspense>
        ) : null}
      </div>
    </>
  )
}
export default AgentPage
