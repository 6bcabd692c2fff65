/** The last of what a terminal showed, by byte offsets that count from its beginning. */
export class Scrollback {
  private chunks: Array<Uint8Array> = []
  private held = 0
  /** Where the next byte goes. */
  end = 0
  private readonly bytesMax: number

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  /** The offset of the first byte that is still there. */
  get begin(): number {
    return this.end - this.held
  }

  add(bytes: Uint8Array): void {
    // A view of a larger buffer would keep all of it.
    this.chunks.push(bytes.slice())
    this.held += bytes.length
    this.end += bytes.length
    while (this.held > this.bytesMax) this.dropSome()
  }

  private dropSome(): void {
    const [first] = this.chunks
    if (first === undefined) return
    const over = this.held - this.bytesMax
    if (first.length <= over) this.chunks.shift()
    else this.chunks[0] = first.slice(over)
    this.held -= Math.min(first.length, over)
  }

  /** What came after an offset, as far as it is still there, up to a number of bytes. */
  after(offset: number, max: number): { readonly offset: number; readonly bytes: Uint8Array } {
    const from = Math.max(offset, this.begin)
    const length = Math.max(0, Math.min(max, this.end - from))
    const bytes = new Uint8Array(length)
    let at = this.begin
    let filled = 0
    for (const chunk of this.chunks) {
      const skip = Math.max(0, from - at)
      if (skip < chunk.length && filled < length) {
        const piece = chunk.subarray(skip, skip + length - filled)
        bytes.set(piece, filled)
        filled += piece.length
      }
      at += chunk.length
    }
    return { offset: from, bytes }
  }
}
