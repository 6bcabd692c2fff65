/** What a terminal shows after all that was written to it: as much of one as programs of ours use. */
export class ScreenText {
  columns: number
  #lines: Array<Array<string>> = [[]]
  #row = 0
  #column = 0

  constructor(columns: number) {
    this.columns = columns
  }

  /** Everything that stands there, what has scrolled away included. */
  get text(): string {
    return this.#lines.map((line) => line.join("").trimEnd()).join("\n")
  }

  write(text: string): void {
    // eslint-disable-next-line no-control-regex
    for (const [piece] of text.matchAll(/\u001B\[[0-?]*[ -/]*[@-~]|\u001B.|[\s\S]/gu)) {
      if (piece.startsWith("\u001B")) this.#sequence(piece)
      else this.#character(piece)
    }
  }

  #line(): Array<string> {
    while (this.#lines.length <= this.#row) this.#lines.push([])
    return this.#lines[this.#row]!
  }

  #character(character: string): void {
    if (character === "\r") this.#column = 0
    else if (character === "\n") this.#row++
    else if (character >= " ") {
      if (this.#column >= this.columns) {
        this.#row++
        this.#column = 0
      }
      const line = this.#line()
      while (line.length < this.#column) line.push(" ")
      line[this.#column++] = character
    }
    this.#line()
  }

  #sequence(sequence: string): void {
    // eslint-disable-next-line no-control-regex
    const [, digits, name] = /^\u001B\[(\d*)([A-Za-z])$/.exec(sequence) ?? []
    const count = Number(digits || 1)
    if (name === "A") this.#row = Math.max(0, this.#row - count)
    else if (name === "B") this.#row += count
    else if (name === "C") this.#column += count
    else if (name === "J") {
      this.#line().length = Math.min(this.#line().length, this.#column)
      this.#lines.length = this.#row + 1
    }
  }
}
