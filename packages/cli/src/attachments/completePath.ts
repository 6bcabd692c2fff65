import { readdirSync } from "node:fs"
import { placeOf } from "./readMentioned.ts"

export interface Completed {
  /** What was typed, as far as it can be written. */
  readonly path: string
  /** What it may become, where that is more than one. */
  readonly others: ReadonlyArray<string>
}

const commonBegin = (names: ReadonlyArray<string>): string =>
  names.reduce((common, name) => {
    let at = 0
    while (at < common.length && common[at] === name[at]) at++
    return common.slice(0, at)
  })

const namesIn = (directory: string): ReadonlyArray<string> => {
  try {
    return readdirSync(placeOf(directory === "" ? "." : directory), { withFileTypes: true })
      .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
      .sort()
  } catch {
    return []
  }
}

/** A path that is being typed, written to its end as a shell does. What is hidden is found by whoever types its dot. */
export const completePath = (typed: string): Completed => {
  const cut = typed.lastIndexOf("/") + 1
  const [directory, begin] = [typed.slice(0, cut), typed.slice(cut)]
  const found = namesIn(directory).filter(
    (name) => name.startsWith(begin) && !/\s/.test(name) && (begin.startsWith(".") || !name.startsWith("."))
  )
  if (found.length === 0) return { path: typed, others: [] }
  const path = directory + commonBegin(found)
  const [only] = found
  if (found.length > 1) return { path, others: found }
  return { path: only!.endsWith("/") ? path : `${path} `, others: [] }
}
