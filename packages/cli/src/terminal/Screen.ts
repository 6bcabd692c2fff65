import type { WriteStream } from "node:tty"
import { widthOf } from "./width.ts"

/** What is drawn anew below all that stays: lines that fit, and where among them the cursor is. */
export interface Drawn {
  readonly lines: ReadonlyArray<string>
  readonly cursor: { readonly row: number; readonly column: number }
}

const hideCursor = "\u001B[?25l"
const showCursor = "\u001B[?25h"
const eraseBelow = "\u001B[0J"
const up = (rows: number) => (rows > 0 ? `\u001B[${rows}A` : "")
const right = (columns: number) => (columns > 0 ? `\u001B[${columns}C` : "")

/** A terminal with lines that stay, as in any shell, and below them some that change. */
export class Screen {
  readonly #output: WriteStream
  #drawn: Drawn = { lines: [], cursor: { row: 0, column: 0 } }

  constructor(output: WriteStream) {
    this.#output = output
  }

  get columns(): number {
    return Math.max(this.#output.columns || 80, 20)
  }

  get rows(): number {
    return Math.max(this.#output.rows || 24, 5)
  }

  /** Lines that stay, above a new drawing. */
  show(kept: ReadonlyArray<string>, drawn: Drawn): void {
    const same = kept.length === 0 && drawn.lines.join("\n") === this.#drawn.lines.join("\n")
    const { column, row } = drawn.cursor
    if (same && row === this.#drawn.cursor.row && column === this.#drawn.cursor.column) return
    const stays = kept.map((line) => `${line}\r\n`).join("")
    const below = drawn.lines.join("\r\n")
    const back = `\r${up(drawn.lines.length - 1 - row)}${right(column)}`
    this.#output.write(`${hideCursor}${this.#erase()}${stays}${below}${back}${showCursor}`)
    this.#drawn = drawn
  }

  /** Leaves what stays, and the cursor below it. */
  close(): void {
    this.#output.write(`${this.#erase()}${showCursor}`)
    this.#drawn = { lines: [], cursor: { row: 0, column: 0 } }
  }

  /** A terminal that became narrower has broken lines in two: they are counted as they are now. */
  #erase(): string {
    const { cursor, lines } = this.#drawn
    if (lines.length === 0) return ""
    const rowsOf = (width: number) => Math.max(1, Math.ceil(width / this.columns))
    const above = lines.slice(0, cursor.row).reduce((sum, line) => sum + rowsOf(widthOf(line)), 0)
    return `\r${up(above + Math.floor(cursor.column / this.columns))}${eraseBelow}`
  }
}
