const newline = 10

/** Cuts bytes into lines. One that is too long is either the end, or given as far as it may go. */
export class Lines {
  private readonly bytesMax: number
  private readonly give: (line: Buffer) => void
  private readonly tooLong: "refuse" | "cut"
  private parts: Array<Uint8Array> = []
  private size = 0

  constructor(bytesMax: number, give: (line: Buffer) => void, tooLong: "refuse" | "cut" = "refuse") {
    this.bytesMax = bytesMax
    this.give = give
    this.tooLong = tooLong
  }

  /** Answers false where a line is too long to be taken. */
  take(bytes: Uint8Array): boolean {
    let from = 0
    for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, from)) {
      if (!this.keep(bytes.subarray(from, at))) return false
      const line = Buffer.concat(this.parts)
      this.parts = []
      this.size = 0
      this.give(line)
      from = at + 1
    }
    return this.keep(bytes.subarray(from))
  }

  private keep(part: Uint8Array): boolean {
    const room = this.bytesMax - this.size
    if (part.length > room && this.tooLong === "refuse") return false
    if (room <= 0 || part.length === 0) return true
    const kept = part.subarray(0, room)
    this.parts.push(kept)
    this.size += kept.length
    return true
  }
}
