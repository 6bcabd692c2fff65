import type { KnownNames } from "@troupe/domain/environment/checkEnvironment"
import type { KnownRunner } from "../runners/RunnerRegistry.ts"

/**
 * What the runners of a workspace said of themselves when they were last greeted. One that is away counts: it may be back
 * before anybody uses the environment, and turns wait for it. Names that every runner has are known without any.
 */
export const knownNames = (runners: ReadonlyArray<Pick<KnownRunner, "hello" | "revoked">>): KnownNames => {
  const hellos = runners.flatMap(({ hello, revoked }) => (hello === null || revoked ? [] : [hello]))
  return {
    backends: [...new Set(hellos.flatMap(({ sandboxes }) => sandboxes.map(({ name }) => name)))],
    profiles: [...new Set(hellos.flatMap(({ profiles }) => profiles ?? []))],
    hostVariables: hellos.some(({ hostVariables }) => hostVariables === undefined)
      ? null
      : [...new Set(hellos.flatMap(({ hostVariables = [] }) => hostVariables))]
  }
}
