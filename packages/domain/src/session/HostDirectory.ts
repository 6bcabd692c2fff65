import { Option, Schema } from "effect"
import { RunnerId } from "../Ids.ts"
import type { Resource } from "./Opening.ts"

/** How a session may use a directory of the host: in place only where that was chosen, else as what it begins with. */
export const HostDirectoryUse = Schema.Literals(["inPlace", "copy"])

const type = "host_directory"

/** The directory of a runner's host that a session works in, or begins with a copy of. It is nowhere else. */
const HostDirectorySpec = Schema.Struct({ runnerId: RunnerId, path: Schema.String, use: HostDirectoryUse })
type HostDirectorySpec = typeof HostDirectorySpec.Type

const decode = Schema.decodeUnknownOption(HostDirectorySpec)

export const isHostDirectory = (resource: Pick<Resource, "type">): boolean => resource.type === type

export const hostDirectory = (resourceId: Resource["resourceId"], spec: HostDirectorySpec): Resource => ({
  resourceId,
  type,
  spec
})

/** The one that a session was given: null where it was given none, and where that was redacted. */
export const hostDirectoryOf = (resources: ReadonlyArray<Resource>): HostDirectorySpec | null => {
  const found = resources.find(isHostDirectory)
  return found === undefined ? null : Option.getOrNull(decode(found.spec))
}
