import { lstatSync } from "node:fs"
import { posix } from "node:path"
import { type Isolation, type Mount, places, type SandboxSpec } from "./Sandbox.ts"

/** Every sandbox's own directory for what is temporary. */
export const temporary = "/tmp"

/** The host's directory behind `/tmp`: it outlives one exec, so that what one process leaves there the next one finds. */
export const temporaryOf = (home: string) => posix.join(home, "tmp")

const isBelow = (path: string, directory: string) =>
  path === directory || path.startsWith(directory.endsWith("/") ? directory : `${directory}/`)

/** Whether the path is in or below what the sandbox was given. Of names alone: links are for the kernel to follow, inside. */
export const isGiven = (spec: Pick<SandboxSpec, "mounts">, path: string): boolean =>
  posix.isAbsolute(path) &&
  posix.normalize(path) === path &&
  [temporary, ...spec.mounts.map(({ target }) => target)].some((directory) => isBelow(path, directory))

/** What can be mounted now. A link that programs of the sandbox have put there would lead to anything of the host. */
export const mountable = (mounts: ReadonlyArray<Mount>): ReadonlyArray<Mount> =>
  mounts.filter(({ inner, source }) => {
    if (inner === undefined) return true
    const found = lstatSync(source, { throwIfNoEntry: false })
    return found !== undefined && (found.isDirectory() || found.isFile())
  })

const innermost = (mounts: ReadonlyArray<Mount>, path: string) =>
  mounts
    .filter(({ target }) => isBelow(path, target))
    .toSorted((a, b) => b.target.length - a.target.length)
    .at(0)

/** What a path of the port is called on the host. */
export const hostPath = (spec: Pick<SandboxSpec, "home" | "mounts">, path: string): string => {
  const mounts = [...spec.mounts, { source: temporaryOf(spec.home), target: temporary, readOnly: false }]
  const mount = innermost(mounts, path)
  return mount === undefined ? path : posix.join(mount.source, posix.relative(mount.target, path))
}

/**
 * What processes of the sandbox call a path of the port, such as `/workspace/notes.md`. Where nothing isolates them they see
 * the host's own paths; where something does, the port's paths are theirs.
 */
export const insidePath = (
  sandbox: { readonly isolation: Isolation; readonly spec: Pick<SandboxSpec, "home" | "mounts"> },
  path: string
): string => (sandbox.isolation === "none" ? hostPath(sandbox.spec, path) : path)

export const workingDirectory = (cwd: string | undefined): string => cwd ?? places.workspace
