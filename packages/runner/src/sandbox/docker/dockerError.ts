import { SandboxError } from "../Sandbox.ts"
import type { EngineError } from "./EngineError.ts"

export const backendName = "docker"

export const dockerError = (reason: SandboxError["reason"], cause?: unknown): SandboxError =>
  new SandboxError({ backend: backendName, reason, ...(cause === undefined ? {} : { cause }) })

/** What the engine's no means to whoever asked for a sandbox. */
export const fromEngine = (error: EngineError): SandboxError => {
  const { reason } = error
  if (reason._tag !== "Refused") return dockerError({ _tag: "Unusable", detail: error.message }, error)
  if (/No such container|is not running|removal of container/i.test(reason.detail)) {
    return dockerError({ _tag: "Gone", detail: reason.detail }, error)
  }
  if (/No such image/i.test(reason.detail)) {
    return dockerError({ _tag: "Unusable", detail: `${reason.detail}: docs/docker.md says how to build it` }, error)
  }
  if (/bind source path does not exist|invalid mount|Duplicate mount point/i.test(reason.detail)) {
    return dockerError({ _tag: "BadRequest", field: "mounts", detail: reason.detail }, error)
  }
  return dockerError({ _tag: "Failed", detail: error.message }, error)
}
