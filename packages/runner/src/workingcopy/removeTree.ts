import { rmdirSync, unlinkSync } from "node:fs"
import { entryPath, kindOf } from "./descriptors.ts"
import { codeOf, refuse } from "./failures.ts"
import { withPlaceInSteps } from "./locate.ts"
import type { Name } from "./Name.ts"
import { existing } from "./readFile.ts"
import type { Root } from "./Root.ts"
import type { Steps } from "./Slices.ts"
import { traverse, type Visit } from "./traverse.ts"
import { named } from "./writeFile.ts"

export interface RemoveOptions {
  readonly recursive?: boolean
}

/** How often a directory is emptied again because something was put into it meanwhile. */
const roundsMax = 20

/** Removes what has this name, a link itself and not its target. */
export const remove = (root: Root, path: string, { recursive = false }: RemoveOptions = {}): Steps<void> =>
  withPlaceInSteps(root, path, { follow: false }, function* (place) {
    const { descriptor, stats } = existing(place)
    const name = named(place)
    if (kindOf(stats) !== "directory") {
      unlinkSync(entryPath(place.directory, name))
      return
    }
    for (let round = 0; round < roundsMax; round++) {
      if (recursive) yield* removeContent(descriptor)
      if (removeIfEmpty(place.directory, name)) return
      if (!recursive) refuse(path, { _tag: "NotEmpty" })
    }
    refuse(path, { _tag: "Stale", detail: "something is being put into it all the time" })
  })

function* removeContent(directory: number): Steps<void> {
  const visits = traverse(directory, { unlock: true })
  try {
    for (let visit = visits.next(); visit.done !== true; visit = visits.next(true)) {
      removeMet(visit.value)
      yield
    }
  } finally {
    visits.return()
  }
}

const removeMet = (visit: Visit): void => {
  if (visit._tag === "Entry" && visit.kind !== "directory") unlinkIfAny(visit.directory, visit.name)
  else if (visit._tag === "Left" && visit.directory !== null) removeIfEmpty(visit.directory, visit.name)
  else if (visit._tag === "Trouble" && isFinal(visit.error.reason._tag)) throw visit.error
}

/** What went away by itself, or was moved out of sight, is not in the way. */
const isFinal = (tag: string): boolean => tag !== "NotFound" && tag !== "Stale" && tag !== "NotADirectory"

/** Whatever has the name: when a directory took it meanwhile, the next round sees that. */
const unlinkIfAny = (directory: number, name: Name): void => {
  try {
    unlinkSync(entryPath(directory, name))
  } catch (cause) {
    if (codeOf(cause) !== "ENOENT" && codeOf(cause) !== "EISDIR") throw cause
  }
}

const removeIfEmpty = (directory: number, name: Name): boolean => {
  try {
    rmdirSync(entryPath(directory, name))
    return true
  } catch (cause) {
    const code = codeOf(cause)
    if (code === "ENOENT") return true
    if (code === "ENOTEMPTY" || code === "EEXIST" || code === "ENOTDIR") return false
    throw cause
  }
}
