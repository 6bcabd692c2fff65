export interface LineRange {
  readonly first: number
  readonly last: number
  readonly lineLengthMax: number
  readonly textBytesMax: number
}

/** Takes the lines of a range out of a file that comes in pieces, and holds no more than what it will give. */
export class LineReader {
  private readonly range: LineRange
  private readonly decoder = new TextDecoder("utf-8", { ignoreBOM: false })
  private readonly lines: Array<string> = []
  private number = 1
  private current = ""
  private currentLength = 0
  private size = 0
  private cutAt: number | null = null
  private sawAny = false
  isDone = false

  constructor(range: LineRange) {
    this.range = range
  }

  take(bytes: Uint8Array): void {
    this.add(this.decoder.decode(bytes, { stream: true }))
  }

  end() {
    if (!this.isDone) {
      this.add(this.decoder.decode())
      if (!this.isDone && this.currentLength > 0) this.close()
    }
    const { cutAt, isDone, lines, number } = this
    return { lines, cutAt, hasMore: isDone && cutAt === null, seen: this.sawAny ? number - 1 : 0 }
  }

  private add(text: string): void {
    let from = 0
    while (from < text.length) {
      // Whatever comes after the last wanted line shows that there is more.
      if (this.number > this.range.last || this.cutAt !== null) {
        this.isDone = true
        return
      }
      const end = text.indexOf("\n", from)
      this.extend(text, from, end < 0 ? text.length : end)
      if (end < 0) return
      this.close()
      from = end + 1
    }
  }

  private extend(text: string, from: number, to: number): void {
    this.sawAny = true
    const room = this.range.lineLengthMax - this.current.length
    if (this.number >= this.range.first && room > 0) this.current += text.slice(from, Math.min(to, from + room))
    this.currentLength += to - from
  }

  private close(): void {
    this.sawAny = true
    const { first, lineLengthMax, textBytesMax } = this.range
    if (this.number >= first) {
      const left = this.currentLength - lineLengthMax
      const line = (left > 0 ? `${this.current}… [${left} more]` : this.current.replace(/\r$/, "")).replaceAll(
        "\0",
        "\ufffd"
      )
      this.size += Buffer.byteLength(line) + 8
      if (this.size > textBytesMax && this.lines.length > 0) this.cutAt = this.number
      else this.lines.push(line)
    }
    this.number++
    this.current = ""
    this.currentLength = 0
  }
}
