import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { useParams } from "@tanstack/react-router"
import { useState } from "react"
import type { Environment, EnvironmentUpdate } from "@troupe/client"
import * as queries from "../api/queries.ts"
import { troupe } from "../api/troupe.ts"
import { oneAsked } from "../app/copies.logic.ts"
import { useGo, usePlace } from "../app/links.tsx"
import { Crumbs } from "../app/Crumbs.tsx"
import { PageHeader } from "../app/PageHeader.tsx"
import { Confirm } from "../ui/Confirm.tsx"
import { JsonForm } from "../ui/JsonForm.tsx"
import { Loaded } from "../ui/Loaded.tsx"
import { Problem } from "../ui/Problem.tsx"
import { Segments } from "../ui/Segments.tsx"
import { definitionOf } from "./environments.logic.ts"
import { EnvironmentForm } from "./EnvironmentForm.tsx"

const tabs = [
  { id: "", title: "Edit" },
  { id: "json", title: "JSON" }
] as const

/** Has what lists environments asked for again. */
const useRefresh = () => {
  const client = useQueryClient()
  return () => {
    for (const { queryKey } of [queries.environments, queries.allEnvironments]) {
      void client.invalidateQueries({ queryKey: [...queryKey], exact: true })
    }
  }
}

/** What ends an environment: for new sessions, or for good. */
const Ending = ({ environment }: { readonly environment: Environment }) => {
  const client = useQueryClient()
  const refresh = useRefresh()
  const go = useGo()
  const [isLeaving, setLeaving] = useState(false)
  const archive = useMutation({
    mutationFn: () => troupe.environments.archive(environment.id),
    onSuccess: (archived) => {
      client.setQueryData(queries.environment(environment.id).queryKey, archived)
      refresh()
    }
  })
  const remove = useMutation({
    mutationFn: () => troupe.environments.delete(environment.id),
    onSuccess: () => {
      refresh()
      go("environments")
    }
  })
  return (
    <>
      {archive.error === null ? null : <Problem error={archive.error} />}
      <div className="notice">
        <strong>{environment.archived_at === null ? "Archive or delete it" : "It is archived"}</strong>
        <span className="soft">
          Sessions that are open go on as they are.{" "}
          {environment.archived_at === null
            ? "No new ones begin in an environment that is archived or deleted."
            : "No new ones begin in it, and it can't be changed any more."}
        </span>
        <span className="actions">
          {environment.archived_at === null ? (
            <button type="button" className="button" disabled={archive.isPending} onClick={() => archive.mutate()}>
              Archive
            </button>
          ) : null}
          <button type="button" className="button danger" onClick={() => setLeaving(true)}>
            Delete
          </button>
        </span>
      </div>
      <Confirm
        title={`Delete ${environment.name}?`}
        isOpen={isLeaving}
        onClose={() => setLeaving(false)}
        word="Delete"
        of={remove}
        onConfirm={() => remove.mutate()}
      >
        <p>Sessions that are open go on as they are; who names it from now on is refused. This can't be undone.</p>
      </Confirm>
    </>
  )
}

const Edited = ({ environment, isJson }: { readonly environment: Environment; readonly isJson: boolean }) => {
  const client = useQueryClient()
  const refresh = useRefresh()
  const save = useMutation({
    mutationFn: (body: EnvironmentUpdate) => troupe.environments.update(environment.id, body),
    onSuccess: (changed) => {
      client.setQueryData(queries.environment(environment.id).queryKey, changed)
      refresh()
    }
  })
  const all = { verb: "Save", isBusy: save.isPending, error: save.error, onSubmit: save.mutate }
  if (environment.archived_at !== null) return null
  return isJson ? (
    <JsonForm
      key={environment.updated_at}
      title="All of it"
      what="An environment"
      definition={definitionOf(environment)}
      hint="What is left out stays as it is."
      {...all}
    />
  ) : (
    <EnvironmentForm key={environment.updated_at} environment={environment} {...all} />
  )
}

const EnvironmentPage = () => {
  const { environment: id } = useParams({ strict: false }) as { readonly environment: string }
  const [place, change] = usePlace()
  const environment = useQuery(queries.environment(id))
  const tab = place["tab"] ?? ""
  return (
    <>
      <PageHeader
        asked={oneAsked("environments", "environments", "environments show", id)}
        title={<Crumbs to="environments" all="Environments" name={environment.data?.name ?? "…"} />}
      >
        <Segments name="View" value={tab} options={tabs} onChange={(next) => change({ tab: next })} />
      </PageHeader>
      <div className="page-body" tabIndex={0} role="region" aria-label="Environment">
        <Loaded of={environment}>
          {(found) => (
            <div className="column">
              <Edited environment={found} isJson={tab === "json"} />
              <Ending environment={found} />
            </div>
          )}
        </Loaded>
      </div>
    </>
  )
}
export default EnvironmentPage
