import type { DiffLine } from "./patch.logic.ts"

/** Lines that are chosen together: from where it began to where one is. */
export interface Selection {
  readonly anchor: number
  readonly head: number
}

const isSkipped = (lines: ReadonlyArray<DiffLine>, index: number): boolean => lines[index]?.kind === "skipped"

/** The line that the keyboard comes to first. */
export const firstLine = (lines: ReadonlyArray<DiffLine>): number => lines.findIndex(({ kind }) => kind !== "skipped")

/** From one line to another; a range does not go over what is left out. */
export const choose = (lines: ReadonlyArray<DiffLine>, selection: Selection | null, head: number, isRange: boolean) => {
  if (!isRange || selection === null) return { anchor: head, head }
  const [from, to] = [Math.min(selection.anchor, head), Math.max(selection.anchor, head)]
  const isWhole = lines.slice(from, to).every(({ kind }) => kind !== "skipped")
  return isWhole ? { anchor: selection.anchor, head } : { anchor: head, head }
}

const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1 }

/** Where a key leads; null where it leads nowhere. */
export const move = (
  lines: ReadonlyArray<DiffLine>,
  selection: Selection,
  key: string,
  isRange: boolean
): Selection | null => {
  const by = steps[key]
  if (by === undefined) return null
  let head = selection.head + by
  if (isRange) return head in lines && !isSkipped(lines, head) ? { anchor: selection.anchor, head } : null
  while (isSkipped(lines, head)) head += by
  return head in lines ? { anchor: head, head } : null
}

/** First and last of what is chosen. */
export const rangeOf = ({ anchor, head }: Selection): readonly [number, number] => [
  Math.min(anchor, head),
  Math.max(anchor, head)
]
