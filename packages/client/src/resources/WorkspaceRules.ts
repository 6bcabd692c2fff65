import type { Call } from "../http/Call.ts"
import type { Pages } from "../http/Page.ts"
import type { CallOptions } from "../options.ts"
import type {
  PoliciesQuery,
  PoliciesUpdate,
  PolicyDryRun,
  PolicyPreset,
  PolicyPresetListQuery,
  PolicyVerdict,
  PolicyVersionsQuery,
  WorkspacePolicies,
  WorkspaceSettings,
  WorkspaceSettingsUpdate
} from "../types/api.ts"
import { list } from "./list.ts"
import { Resource } from "./Resource.ts"

/** What calls are allowed in a workspace. Each change is a new version. */
export class Policies extends Resource {
  retrieve(query?: PoliciesQuery, options?: CallOptions): Call<WorkspacePolicies> {
    return this.get("/v1/policies", query, options)
  }

  /** Follows the version that was seen: where that is not the newest any more, nothing changes. */
  update(body: PoliciesUpdate, options?: CallOptions): Call<WorkspacePolicies> {
    return this.post("/v1/policies", body, options)
  }

  versions(query?: PolicyVersionsQuery, options?: CallOptions): Pages<WorkspacePolicies> {
    return list(this.transport, "/v1/policies/versions", query, options)
  }

  presets(query?: PolicyPresetListQuery, options?: CallOptions): Pages<PolicyPreset> {
    return list(this.transport, "/v1/policies/presets", query, options)
  }

  /** What would be said of a call that nobody makes. */
  dryRun(body: PolicyDryRun, options?: CallOptions): Call<PolicyVerdict> {
    return this.post("/v1/policies/dry_run", body, options)
  }
}

/** What holds for all sessions of a workspace beside its policies. */
export class Settings extends Resource {
  retrieve(options?: CallOptions): Call<WorkspaceSettings> {
    return this.get("/v1/settings", {}, options)
  }

  update(body: WorkspaceSettingsUpdate, options?: CallOptions): Call<WorkspaceSettings> {
    return this.post("/v1/settings", body, options)
  }

  /** Lets the soft limits of today pass. */
  passDayLimits(options?: CallOptions): Call<WorkspaceSettings> {
    return this.post("/v1/settings/pass_day_limits", undefined, options)
  }
}
