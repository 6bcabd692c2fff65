import type { WorkspaceSettings, WorkspaceSettingsUpdate } from "@troupe/client"
import { dayLimitsIn, type LimitDraft, limitDraftOf } from "../limits/limits.logic.ts"
import { readObject } from "../ui/readObject.logic.ts"

/** A workspace's settings as somebody writes them. Empty: none, so that agents and the server choose. */
export interface SettingsDraft {
  readonly model: string
  readonly auxModel: string
  readonly harness: string
  readonly environment: string
  readonly allowsSampling: boolean
  readonly limits: ReadonlyArray<LimitDraft>
  /** JSON: by a model's name, or by the beginning of names and `*`. */
  readonly prices: string
}

export const draftOf = (settings: WorkspaceSettings): SettingsDraft => ({
  model: settings.default_model ?? "",
  auxModel: settings.default_aux_model ?? "",
  harness: settings.default_harness ?? "",
  environment: settings.default_environment_id ?? "",
  allowsSampling: settings.mcp_sampling,
  limits: settings.day_limits.map(limitDraftOf),
  prices: JSON.stringify(settings.prices, null, 2)
})

/** What keeps them from being saved, in words; null where nothing does. */
export const wrongWithSettings = ({ harness, prices }: SettingsDraft): string | null => {
  if (harness.trim() !== "" && !/^[a-z][a-z0-9-]{0,63}$/.test(harness.trim()))
    return "A harness is named with small letters, digits and -, such as claude-code."
  const read = readObject(prices, "A table of prices")
  return read._tag === "Wrong" ? `Prices: ${read.why}` : null
}

/** What is sent, for the version that was seen: where somebody else changed them meanwhile, nothing is. */
export const bodyOf = (draft: SettingsDraft, version: number): WorkspaceSettingsUpdate => {
  const { allowsSampling, auxModel, environment, harness, limits, model, prices } = draft
  const read = readObject(prices, "A table of prices")
  return {
    version,
    default_model: model.trim() || null,
    default_aux_model: auxModel.trim() || null,
    default_harness: harness.trim() || null,
    ...(environment === "" ? {} : { default_environment_id: environment }),
    mcp_sampling: allowsSampling,
    day_limits: dayLimitsIn(limits),
    ...(read._tag === "Read" ? { prices: read.value as WorkspaceSettings["prices"] } : {})
  }
}

/** Whether there is a limit today that somebody can let pass. */
export const canPass = ({ day_limits: limits, day_limits_passed_on: passedOn }: WorkspaceSettings, today: string) =>
  passedOn !== today && limits.some(({ enforcement }) => enforcement === "soft")
