import type { FileError } from "@troupe/domain/runner/Files"
import { Effect, type Scope } from "effect"
import { closeSync, readlinkSync } from "node:fs"
import {
  type Identity,
  isSame,
  openDirectory,
  openOwnDirectory,
  ownPath,
  statOf,
  withDescriptor
} from "./descriptors.ts"
import { asFileError, refuse } from "./failures.ts"

export interface Owner {
  readonly uid: number
  readonly gid: number
}

export interface RootOptions {
  /** The directory on the host. Ours: no agent chose it. */
  readonly root: string
  /** Where programs in the sandbox see it; absolute paths and link targets below are read as paths inside. */
  readonly at?: string
  /** Who new files belong to. Set where the runner is root and the sandbox is not. */
  readonly owner?: Owner
}

/** A directory that is held open. What is done below it goes through this descriptor, and never again by its path. */
export interface Root {
  readonly descriptor: number
  readonly identity: Identity
  readonly at: string
  readonly owner: Owner | null
}

export const openRoot = (options: RootOptions): Effect.Effect<Root, FileError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.try({ try: () => open(options), catch: (cause) => asFileError(options.at ?? "/", cause) }),
    (root) => Effect.sync(() => closeSync(root.descriptor))
  )

const open = ({ at = "/", owner, root }: RootOptions): Root => {
  if (process.platform !== "linux") refuse(at, { _tag: "Unsupported", detail: "only Linux has what it needs" })
  const descriptor = openOwnDirectory(root)
  try {
    const identity = statOf(descriptor)
    probe(at, descriptor, identity)
    return { descriptor, identity, at, owner: owner ?? null }
  } catch (cause) {
    closeSync(descriptor)
    throw cause
  }
}

/** That descriptors lead to what they refer to is what everything stands on, so it is tried and not assumed. */
const probe = (at: string, descriptor: number, identity: Identity): void => {
  try {
    const holds = withDescriptor(openDirectory(descriptor, "."), (again) => isSame(statOf(again), identity))
    // Deno has no names as bytes: what it can't show right it would not find again.
    const reads = readlinkSync(ownPath(descriptor), { encoding: "latin1" }) !== ""
    if (holds && reads) return
  } catch {
    // The refusal below says it.
  }
  refuse(at, { _tag: "Unsupported", detail: "/proc/self/fd can't be used with this runtime" })
}
