import type { FileError } from "@troupe/domain/runner/Files"
import { Effect, type Scope } from "effect"
import { type Isolation, type Mount, places, type Sandbox, type SandboxError } from "../sandbox/Sandbox.ts"
import type { Owner } from "../workingcopy/Root.ts"
import { open } from "../workingcopy/SafeDirectory.ts"
import { makeShell } from "./shell/Shell.ts"
import type { PlaceMount, ToolPlace } from "./ToolPlace.ts"

/** Where the session sees what was too long for an answer. It is not among its outputs: nobody asked for it. */
export const spillTarget = "/mnt/session/tool-output"

export interface ToolPlaceOptions {
  readonly backend: string
  readonly isolation: Isolation
  /** Makes the sandbox, or answers the one there is. */
  readonly sandbox: Effect.Effect<Sandbox, SandboxError>
  /** What the sandbox is made with. */
  readonly mounts: ReadonlyArray<Mount>
  /** Who files belong to that tools write, where that is not the runner's user. */
  readonly owner?: Owner
  readonly spill: ToolPlace["spill"]
  readonly putBlob: ToolPlace["putBlob"]
}

/** A session's place as tools use it, for as long as the scope is open. */
export const makeToolPlace = Effect.fnUntraced(function* (
  options: ToolPlaceOptions
): Effect.fn.Return<ToolPlace, FileError, Scope.Scope> {
  const { backend, isolation, owner, putBlob, sandbox, spill } = options
  // Where nothing isolates, processes see the host's own paths, and what they print is what tools must understand.
  const seen = ({ source, target }: Mount) => (isolation === "none" ? source : target)
  const mounts = yield* Effect.forEach(
    options.mounts,
    Effect.fnUntraced(function* (mount) {
      const { readOnly, source } = mount
      const at = seen(mount)
      const directory = yield* open({ root: source, at, ...(owner === undefined ? {} : { owner }) })
      return { target: at, directory, readOnly } satisfies PlaceMount
    })
  )
  const workspace = options.mounts.find(({ target }) => target === places.workspace)
  const exec: ToolPlace["exec"] = (request) => Effect.flatMap(sandbox, (made) => made.exec(request))
  return {
    backend,
    isolation,
    exec,
    shell: yield* makeShell(exec),
    mounts: mounts.toSorted((a, b) => b.target.length - a.target.length),
    workspace: workspace === undefined ? places.workspace : seen(workspace),
    spill,
    putBlob
  }
})
