import type { File as StoredFile, SessionChanges } from "@troupe/client"

export type TreeChange = SessionChanges["data"][number]

/** What the agent made, and what it was given. */
export const sorted = (files: ReadonlyArray<StoredFile>) => {
  const newest = files.toSorted((a, b) => b.created_at.localeCompare(a.created_at))
  return {
    made: newest.filter(({ troupe }) => troupe.path !== null),
    given: newest.filter(({ troupe }) => troupe.path === null)
  }
}

export const size = (bytes: number): string => {
  if (bytes < 1_000) return `${bytes} B`
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(bytes < 10_000 ? 1 : 0)} kB`
  return `${(bytes / 1_000_000).toFixed(bytes < 10_000_000 ? 1 : 0)} MB`
}

export interface PatchLine {
  readonly kind: "same" | "added" | "removed" | "skipped"
  readonly text: string
}

const signs: Readonly<Record<string, PatchLine["kind"]>> = { "+": "added", "-": "removed", " ": "same" }

/** The lines of a unified diff, without its heads: before its first hunk, nothing is a change. */
export const patchLines = (patch: string): ReadonlyArray<PatchLine> => {
  const lines = patch.split("\n")
  const begin = lines.findIndex((line) => line.startsWith("@@"))
  return lines.slice(begin < 0 ? lines.length : begin).flatMap((line): ReadonlyArray<PatchLine> => {
    if (line.startsWith("@@")) return [{ kind: "skipped", text: line }]
    const kind = signs[line[0] ?? ""]
    return kind === undefined ? [] : [{ kind, text: line.slice(1) }]
  })
}

/** How many lines came and went, as one reads it beside a name. */
export const countsOf = ({ text }: TreeChange): { readonly added: number; readonly removed: number } | null => {
  if (text === null) return null
  const lines = patchLines(text)
  const of = (kind: PatchLine["kind"]) => lines.filter((line) => line.kind === kind).length
  return { added: of("added"), removed: of("removed") }
}
