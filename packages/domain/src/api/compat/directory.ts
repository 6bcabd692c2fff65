import { hostDirectoryOf, type HostDirectoryUse } from "../../session/HostDirectory.ts"
import type { Resource } from "../../session/Opening.ts"
import type { SessionDirectory } from "../Sessions.ts"

type Use = typeof HostDirectoryUse.Type

export const useIn = (use: SessionDirectory["use"]): Use => (use === "in_place" ? "inPlace" : "copy")
const useOut = (use: Use): SessionDirectory["use"] => (use === "inPlace" ? "in_place" : "copy")

/** The directory of its runner's host that a session works on, as clients see it. */
export const directoryOut = (resources: ReadonlyArray<Resource>): SessionDirectory | null => {
  const found = hostDirectoryOf(resources)
  return found === null ? null : { runner_id: found.runnerId, path: found.path, use: useOut(found.use) }
}
