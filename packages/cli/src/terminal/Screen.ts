import type { WriteStream } from "node:tty"
import { widthOf } from "./width.ts"

/** What is drawn anew below all that stays: lines that fit, and where among them the cursor is. */
export interface Drawn {
  readonly lines: ReadonlyArray<string>
  readonly cursor: { readonly row: number; readonly column: number }
}

/** A terminal that knows these shows all that is between them at once. Others pass them over. */
const atOnce = { begin: "\u001B[?2026h", end: "\u001B[?2026l" }
const hideCursor = "\u001B[?25l"
const showCursor = "\u001B[?25h"
const eraseBelow = "\u001B[0J"
const down = (rows: number) => (rows > 0 ? `\u001B[${rows}B` : rows < 0 ? `\u001B[${-rows}A` : "")
const right = (columns: number) => (columns > 0 ? `\u001B[${columns}C` : "")

const nothing: Drawn = { lines: [], cursor: { row: 0, column: 0 } }

/** More often than this, nobody sees. */
const frameMs = 25

/** A terminal with lines that stay, as in any shell, and below them some that change. */
export class Screen {
  readonly #output: WriteStream
  #drawn: Drawn = nothing
  #columns = 0
  #kept: ReadonlyArray<string> = []
  #next: (() => Drawn) | null = null
  #timer: NodeJS.Timeout | undefined
  #drawnAt = Number.NEGATIVE_INFINITY

  constructor(output: WriteStream) {
    this.#output = output
  }

  get columns(): number {
    return Math.max(this.#output.columns || 80, 20)
  }

  get rows(): number {
    return Math.max(this.#output.rows || 24, 5)
  }

  /** Lines that stay, above a new drawing. What comes together, such as a paste, is drawn together. */
  show(kept: ReadonlyArray<string>, draw: () => Drawn): void {
    this.#kept = kept.length === 0 ? this.#kept : [...this.#kept, ...kept]
    this.#next = draw
    this.#timer ??= setTimeout(() => this.flush(), Math.max(0, this.#drawnAt + frameMs - performance.now()))
  }

  /** Draws now what waits to be drawn. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#next === null) return
    const [kept, drawn] = [this.#kept, this.#next()]
    this.#kept = []
    this.#next = null
    this.#drawnAt = performance.now()
    this.#draw(kept, drawn)
  }

  /** Leaves what stays, and the cursor below it. */
  close(): void {
    this.flush()
    this.#output.write(`${this.#toRow(0)}${this.#drawn.lines.length === 0 ? "" : eraseBelow}${showCursor}`)
    this.#drawn = nothing
  }

  /** Only what is below the first line that changed is written. */
  #draw(kept: ReadonlyArray<string>, drawn: Drawn): void {
    const before = this.#drawn
    const isResized = this.columns !== this.#columns
    const first = kept.length > 0 || isResized ? 0 : firstDifference(before.lines, drawn.lines)
    const { column, row } = drawn.cursor
    const isSame = first === null && row === before.cursor.row && column === before.cursor.column
    if (isSame) return
    const stays = kept.map((line) => `${line}\r\n`).join("")
    const written =
      first === null
        ? `${this.#toRow(row)}${right(column)}`
        : `${this.#toRow(first)}${eraseBelow}${stays}${drawn.lines.slice(first).join("\r\n")}\r${down(row - (drawn.lines.length - 1))}${right(column)}`
    this.#output.write(`${atOnce.begin}${hideCursor}${written}${showCursor}${atOnce.end}`)
    this.#drawn = drawn
    this.#columns = this.columns
  }

  /** To the beginning of a line. A terminal that became narrower has broken lines in two: they are counted as they are now. */
  #toRow(row: number): string {
    const { cursor, lines } = this.#drawn
    const rowsOf = (line: string) => Math.max(1, Math.ceil(widthOf(line) / this.columns))
    const rows = (from: number, to: number) => lines.slice(from, to).reduce((sum, line) => sum + rowsOf(line), 0)
    const above = rows(0, cursor.row) + Math.floor(cursor.column / this.columns)
    return lines.length === 0 ? "" : `\r${down(rows(0, row) - above)}`
  }
}

/** Where lines begin to differ from what they were; null where they do not. */
const firstDifference = (before: ReadonlyArray<string>, after: ReadonlyArray<string>): number | null => {
  const length = Math.max(before.length, after.length)
  for (let at = 0; at < length; at++) {
    // A line that was not there has no place yet, and one that goes has none any more: the one above is written with it.
    if (before[at] !== after[at]) return Math.max(0, Math.min(at, before.length - 1, after.length - 1))
  }
  return null
}
