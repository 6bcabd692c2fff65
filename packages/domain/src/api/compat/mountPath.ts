import { uploadsPath } from "../../session/FileResource.ts"
import { refuse } from "../ApiError.ts"

const pathMax = 1_024
const partMax = 255

// oxlint-disable-next-line no-control-regex
const control = /[\x00-\x1f\x7f]/

const below = (asked: string): string => (asked.startsWith(`${uploadsPath}/`) ? asked.slice(uploadsPath.length) : asked)

/** Where a file is mounted: what is asked for is a path below the uploads, whatever it begins with. */
export const mountPathOf = (asked: string | null | undefined, fileId: string, at: string): string => {
  const parts = below(asked ?? fileId)
    .split("/")
    .filter((part) => part !== "" && part !== ".")
  const wrong = (detail: string) => refuse(`${at}mount_path: ${detail}`)
  if (parts.length === 0) wrong("names no file")
  if (parts.includes("..")) wrong(`leads out of ${uploadsPath}`)
  if (parts.some((part) => control.test(part) || !part.isWellFormed())) wrong("holds characters that no path takes")
  if (parts.some((part) => part.length > partMax)) wrong(`takes at most ${partMax} characters between two slashes`)
  const path = `${uploadsPath}/${parts.join("/")}`
  if (path.length > pathMax) wrong(`takes at most ${pathMax} characters`)
  return path
}

/** Refuses a path at, above or below one that is taken: one would hide the other. */
export const refuseOverlap = (path: string, taken: ReadonlyArray<string>, at: string): void => {
  const other = taken.find((one) => one === path || one.startsWith(`${path}/`) || path.startsWith(`${one}/`))
  if (other !== undefined) refuse(`${at}mount_path: ${path} overlaps with ${other}`)
}
