/** A line of a difference, with its numbers in the text before and after where it stands there and they are known. */
export interface DiffLine {
  readonly kind: "same" | "added" | "removed" | "skipped"
  readonly text: string
  readonly before: number | null
  readonly after: number | null
}

type Unnumbered = Pick<DiffLine, "kind" | "text">

/** Lines that follow each other, numbered from where they begin. */
export const numbered = (
  lines: ReadonlyArray<Unnumbered>,
  from: { readonly before: number; readonly after: number }
) => {
  let { after, before } = from
  return lines.map(({ kind, text }): DiffLine => ({
    kind,
    text,
    before: kind === "same" || kind === "removed" ? before++ : null,
    after: kind === "same" || kind === "added" ? after++ : null
  }))
}

const kinds: Readonly<Record<string, DiffLine["kind"]>> = { "+": "added", "-": "removed", " ": "same" }
const head = /^@@ -(\d+)(?:,\d+)? \+(\d+)/

/** The lines of a unified diff, without its heads: before its first hunk, nothing is a change. */
export const patchLines = (patch: string): ReadonlyArray<DiffLine> => {
  const lines: Array<DiffLine> = []
  let place: { before: number; after: number } | null = null
  for (const line of patch.split("\n")) {
    const [, before, after] = head.exec(line) ?? []
    const kind = kinds[line[0] ?? ""]
    if (before !== undefined) {
      place = { before: Number(before), after: Number(after) }
      lines.push({ kind: "skipped", text: line, before: null, after: null })
    } else if (place !== null && kind !== undefined) {
      const [next] = numbered([{ kind, text: line.slice(1) }], place)
      if (next!.before !== null) place.before++
      if (next!.after !== null) place.after++
      lines.push(next!)
    }
  }
  return lines
}
