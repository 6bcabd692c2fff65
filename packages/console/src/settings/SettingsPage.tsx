import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import type { WorkspaceSettings, WorkspaceSettingsUpdate } from "@troupe/client"
import * as queries from "../api/queries.ts"
import { troupe } from "../api/troupe.ts"
import { PageHeader } from "../app/PageHeader.tsx"
import { Loaded } from "../ui/Loaded.tsx"
import { Problem } from "../ui/Problem.tsx"
import { canPass } from "./settings.logic.ts"
import { SettingsForm } from "./SettingsForm.tsx"

const asked = { path: "/v1/settings", client: "troupe.settings.retrieve()", command: null }

/** Lets the soft limits of today pass, for whoever looks at a workspace that waits. */
const Passing = ({ settings }: { readonly settings: WorkspaceSettings }) => {
  const client = useQueryClient()
  const today = new Date().toISOString().slice(0, 10)
  const pass = useMutation({
    mutationFn: () => troupe.settings.passDayLimits(),
    onSuccess: (changed) => client.setQueryData(queries.settings.queryKey, changed)
  })
  if (settings.day_limits_passed_on === today) {
    return (
      <p className="soft" role="status">
        Today's soft limits are let pass.
      </p>
    )
  }
  if (!canPass(settings, today)) return null
  return (
    <>
      {pass.error === null ? null : <Problem error={pass.error} />}
      <div className="notice">
        <strong>Limits that ask</strong>
        <span className="soft">Where one is come up to, turns wait until somebody lets them pass for the day.</span>
        <span className="actions">
          <button type="button" className="button" disabled={pass.isPending} onClick={() => pass.mutate()}>
            Let today's soft limits pass
          </button>
        </span>
      </div>
    </>
  )
}

const Saved = ({ settings }: { readonly settings: WorkspaceSettings }) => {
  const client = useQueryClient()
  const save = useMutation({
    mutationFn: (body: WorkspaceSettingsUpdate) => troupe.settings.update(body),
    onSuccess: (changed) => client.setQueryData(queries.settings.queryKey, changed)
  })
  return (
    <div className="column">
      <SettingsForm
        key={settings.version}
        settings={settings}
        isBusy={save.isPending}
        error={save.error}
        onSubmit={save.mutate}
      />
      {save.isSuccess ? (
        <p className="soft" role="status">
          Saved.
        </p>
      ) : null}
      <Passing settings={settings} />
    </div>
  )
}

const SettingsPage = () => {
  const settings = useQuery(queries.settings)
  return (
    <>
      <PageHeader title="Workspace settings" asked={asked} />
      <div className="page-body" tabIndex={0} role="region" aria-label="Workspace settings">
        <Loaded of={settings}>{(found) => <Saved settings={found} />}</Loaded>
      </div>
    </>
  )
}
export default SettingsPage
