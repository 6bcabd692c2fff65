import type { EnvironmentConfig } from "@troupe/domain/environment/EnvironmentConfig"
import { checkEnvironment } from "@troupe/domain/environment/checkEnvironment"
import type { SandboxBackend } from "../sandbox/Sandbox.ts"
import { PreparationFailed } from "./PreparationFailed.ts"

/**
 * Why this backend can't have it. The same rules as when an environment is saved, asked again with the backend that the runner
 * chose where the environment names none.
 */
export const refusalOf = (config: EnvironmentConfig, { name }: SandboxBackend): PreparationFailed | undefined => {
  const backend = name
  const profile = { profile: "none", options: {} }
  const [first] = checkEnvironment({ ...config, backend, preparation: profile }, { backends: [name], profiles: [] })
  return first === undefined
    ? undefined
    : new PreparationFailed({
        step: first.path.join("."),
        reason: { _tag: "Refused", detail: first.issue }
      })
}
