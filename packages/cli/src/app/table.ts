import { clean } from "../terminal/clean.ts"
import { cut, widthOf } from "../terminal/width.ts"

export type Cell = string | number | null

const gap = "  "
const shown = (cell: Cell) => (cell === null || cell === "" ? "–" : clean(String(cell)).replaceAll(/\s+/g, " "))

/** Columns as wide as what is in them. A terminal's width cuts the last one; a file's has none. */
export const table = (
  headings: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<Cell>>,
  columns: number | undefined
): string => {
  const all = [headings, ...rows.map((row) => row.map(shown))]
  const widths = headings.map((_, at) => Math.max(...all.map((row) => widthOf(row[at] ?? ""))))
  const line = (row: ReadonlyArray<string>) => {
    const text = row.map((cell, at) => cell + " ".repeat(widths[at]! - widthOf(cell))).join(gap)
    return (columns === undefined ? text : cut(text, columns)).trimEnd()
  }
  return all.map(line).join("\n")
}
