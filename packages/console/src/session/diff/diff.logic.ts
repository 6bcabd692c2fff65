import { diffLines } from "diff"
import { type DiffLine, numbered } from "./patch.logic.ts"

const around = 3

const linesOf = (text: string): ReadonlyArray<string> => {
  const lines = text.split("\n")
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines
}

/** All but a few lines around each change, with what is left out told by its number. */
const shortened = (lines: ReadonlyArray<DiffLine>, isFirst: boolean, isLast: boolean): ReadonlyArray<DiffLine> => {
  const head = isFirst ? 0 : around
  const tail = isLast ? 0 : around
  if (lines.length <= head + tail + 1) return lines
  const skipped = { kind: "skipped", text: `${lines.length - head - tail} lines`, before: null, after: null } as const
  return [...lines.slice(0, head), skipped, ...(tail === 0 ? [] : lines.slice(-tail))]
}

/** What changed between two texts that begin at a line of their file; null where nobody knows at which. */
export const diffOf = (before: string, after: string, first: number | null = 1): ReadonlyArray<DiffLine> => {
  const parts = diffLines(before, after)
  const place = { before: first ?? 1, after: first ?? 1 }
  const shown = parts.flatMap(({ added, removed, value }, index) => {
    const kind = added ? "added" : removed ? "removed" : "same"
    const lines = numbered(
      linesOf(value).map((text) => ({ kind, text })),
      place
    )
    if (kind !== "added") place.before += lines.length
    if (kind !== "removed") place.after += lines.length
    return kind === "same" ? shortened(lines, index === 0, index === parts.length - 1) : lines
  })
  return first === null ? shown.map((line) => ({ ...line, before: null, after: null })) : shown
}
