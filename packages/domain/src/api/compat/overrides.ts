import type { TurnOverrides } from "../../session/Input.ts"
import type { Overrides } from "../Turns.ts"

/** What a turn does differently, as sessions keep it. */
export const overridesIn = ({ effort, metadata, model, permission_preset, tools }: Overrides): TurnOverrides => ({
  ...(model === undefined ? {} : { model }),
  ...(effort === undefined ? {} : { effort }),
  ...(tools === undefined ? {} : { tools }),
  ...(permission_preset === undefined ? {} : { permissionPreset: permission_preset }),
  ...(metadata === undefined ? {} : { metadata })
})
