import { normalPath } from "@troupe/domain/tools/Wildcard"
import { FileError } from "@troupe/domain/runner/Files"
import { Effect } from "effect"
import { ToolFailure } from "../Tool.ts"
import type { PlaceMount, ToolPlace } from "../ToolPlace.ts"

/** A path of the session, and the directory that it is in. */
export interface Located {
  readonly path: string
  readonly mount: PlaceMount
}

const isBelow = (path: string, target: string): boolean => path === target || path.startsWith(`${target}/`)

/** Where a path leads, that is relative to the working copy or absolute as processes of the session see it. */
export const locate = (place: ToolPlace, given: string): Effect.Effect<Located, ToolFailure> => {
  // What it means is for the directory to say, `..` and links included; the name alone tells whose it is.
  const path = given.startsWith("/") ? given : `${place.workspace}/${given}`
  const mount = place.mounts.find(({ target }) => isBelow(normalPath(path, "/"), target))
  if (mount !== undefined) return Effect.succeed({ path: normalPath(path, "/"), mount })
  const known = place.mounts.map(({ target }) => target).join(", ")
  return new ToolFailure({ message: `${printable(given)} is not a place for files here. There is ${known}.` })
}

export const writable = (located: Located): Effect.Effect<Located, ToolFailure> =>
  located.mount.readOnly
    ? new ToolFailure({ message: `${printable(located.path)} can't be written: ${located.mount.target} is read-only.` })
    : Effect.succeed(located)

/** What went wrong with a file, for a model that may do something about it. */
export const fileFailure = (error: FileError): ToolFailure => {
  const { path, reason } = error
  const about = (message: string) =>
    new ToolFailure({ message: `${printable(path)} ${message}`, details: { file: reason._tag } })
  switch (reason._tag) {
    case "NotFound":
      return about("does not exist.")
    case "NotAFile":
      return about(
        reason.found === "directory" ? "is a directory. Use glob, or ls in bash." : `is a ${reason.found}, not a file.`
      )
    case "NotADirectory":
      return about("is not a directory, or goes through something that is none.")
    case "Outside":
      return about("leads out of the directories of this session.")
    case "TooLarge":
      return about(`is too large: ${reason.bytes} bytes, at most ${reason.bytesMax}.`)
    case "Exists":
      return about("exists.")
    case "NotEmpty":
      return about("is not empty.")
    case "NoSpace":
      return about("can't be written: there is no space left.")
    case "Stale":
      return about(`was changed meanwhile (${reason.detail}). Read it again.`)
    case "BadPath":
    case "Denied":
    case "Unsupported":
      return about(`can't be used: ${reason.detail}.`)
    case "Failed":
      return about(`can't be used: ${reason.code}.`)
  }
}

/** A name on one line, whatever characters it has. */
export const printable = (name: string): string =>
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u001f\u007f\u2028\u2029]/.test(name) ? JSON.stringify(name) : name
