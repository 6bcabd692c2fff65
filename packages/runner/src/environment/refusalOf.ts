import type { EnvironmentConfig } from "@troupe/domain/environment/EnvironmentConfig"
import { checkEnvironment } from "@troupe/domain/environment/checkEnvironment"
import type { SandboxBackend } from "../sandbox/Sandbox.ts"
import { PreparationFailed } from "./PreparationFailed.ts"

/**
 * Why this backend can't have it. The same rules as when an environment is saved, asked again with the backend that the runner
 * chose where the environment names none.
 */
export const refusalOf = (config: EnvironmentConfig, { name }: SandboxBackend): PreparationFailed | undefined => {
  // Said here and not when it is saved: a runner that builds images can have it.
  if (config.dockerfile !== null && name === "docker") return refused("dockerfile", "this runner builds no images")
  const backend = name
  const profile = { profile: "none", options: {} }
  const [first] = checkEnvironment({ ...config, backend, preparation: profile }, { backends: [name], profiles: [] })
  return first === undefined ? undefined : refused(first.path.join("."), first.issue)
}

const refused = (step: string, detail: string) => new PreparationFailed({ step, reason: { _tag: "Refused", detail } })
