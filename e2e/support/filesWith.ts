import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

const contentOf = (path: string): Buffer | null => {
  try {
    return readFileSync(path)
  } catch {
    // It is gone meanwhile.
    return null
  }
}

/** The files below a directory that say this anywhere. */
export const filesWith = (directory: string, words: string): ReadonlyArray<string> =>
  readdirSync(directory, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    const path = join(entry.parentPath, entry.name)
    return entry.isFile() && contentOf(path)?.includes(words) === true ? [path] : []
  })
