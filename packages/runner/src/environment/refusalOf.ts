import type { EnvironmentConfig } from "@troupe/domain/environment/EnvironmentConfig"
import { checkEnvironment } from "@troupe/domain/environment/checkEnvironment"
import type { SandboxBackend } from "../sandbox/Sandbox.ts"
import { PreparationFailed } from "./PreparationFailed.ts"

/**
 * Why this backend can't have it. The same rules as when an environment is saved, asked again with the backend that the runner
 * chose where the environment names none; and whether this runner makes images, which nobody knew then.
 */
export const refusalOf = (
  config: EnvironmentConfig,
  { name }: SandboxBackend,
  makesImages: boolean
): PreparationFailed | undefined => {
  const profile = { profile: "none", options: {} }
  const asked = { ...config, backend: name, preparation: profile }
  const [first] = checkEnvironment(asked, { backends: [name], profiles: [], hostVariables: null })
  if (first !== undefined) return refused(first.path.join("."), first.issue)
  return config.dockerfile !== null && !makesImages
    ? refused("dockerfile", "this runner makes no images: its owner switched that off, or its engine can't")
    : undefined
}

const refused = (step: string, detail: string) => new PreparationFailed({ step, reason: { _tag: "Refused", detail } })
