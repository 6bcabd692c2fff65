import { diffLines } from "diff"

export interface DiffLine {
  readonly kind: "same" | "added" | "removed" | "skipped"
  readonly text: string
}

const around = 3

const linesOf = (text: string): ReadonlyArray<string> => {
  const lines = text.split("\n")
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines
}

/** What changed between two texts, line by line, with a few lines around each change. */
export const diffOf = (before: string, after: string): ReadonlyArray<DiffLine> => {
  const parts = diffLines(before, after)
  return parts.flatMap(({ added, removed, value }, index): ReadonlyArray<DiffLine> => {
    const lines = linesOf(value)
    if (added || removed) return lines.map((text) => ({ kind: added ? "added" : "removed", text }))
    const head = index === 0 ? 0 : around
    const tail = index === parts.length - 1 ? 0 : around
    const same = (some: ReadonlyArray<string>) => some.map((text) => ({ kind: "same" as const, text }))
    if (lines.length <= head + tail + 1) return same(lines)
    const skipped = { kind: "skipped" as const, text: `${lines.length - head - tail} lines` }
    return [...same(lines.slice(0, head)), skipped, ...same(tail === 0 ? [] : lines.slice(-tail))]
  })
}
