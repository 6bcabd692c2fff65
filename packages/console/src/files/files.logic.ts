import type { File as StoredFile, SessionChanges } from "@troupe/client"
import { type DiffLine, patchLines } from "../session/diff/patch.logic.ts"

export type TreeChange = SessionChanges["data"][number]

/** What the agent made, and what it was given. */
export const sorted = (files: ReadonlyArray<StoredFile>) => {
  const newest = files.toSorted((a, b) => b.created_at.localeCompare(a.created_at))
  return {
    made: newest.filter(({ troupe }) => troupe.path !== null),
    given: newest.filter(({ troupe }) => troupe.path === null)
  }
}

/** How many lines came and went, as one reads it beside a name. */
export const countsOf = ({ text }: TreeChange): { readonly added: number; readonly removed: number } | null => {
  if (text === null) return null
  const lines = patchLines(text)
  const of = (kind: DiffLine["kind"]) => lines.filter((line) => line.kind === kind).length
  return { added: of("added"), removed: of("removed") }
}
