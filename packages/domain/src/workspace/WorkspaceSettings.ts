import { Schema } from "effect"
import { PermissionPolicy } from "../tools/PermissionPolicy.ts"
import { DayLimit } from "./DayLimit.ts"

/** What holds for all sessions of a workspace. */
export const WorkspaceSettings = Schema.Struct({
  policies: Schema.Array(PermissionPolicy).check(Schema.isMaxLength(100)),
  dayLimits: Schema.Array(DayLimit).check(Schema.isMaxLength(20))
})
export type WorkspaceSettings = typeof WorkspaceSettings.Type

export const noSettings: WorkspaceSettings = { policies: [], dayLimits: [] }
