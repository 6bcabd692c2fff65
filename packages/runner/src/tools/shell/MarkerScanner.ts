/**
 * Finds the mark that ends a command's output on one stream: NUL, a word nobody can guess, what the mark says, NUL. What
 * could be the beginning of a mark is held back until more has come.
 */
export class MarkerScanner {
  private readonly opening: Buffer
  private held: Buffer = Buffer.alloc(0)
  /** What the mark said, once it has come. */
  said: string | null = null

  constructor(word: string) {
    this.opening = Buffer.from(`\0${word}:`)
  }

  /** What of this is output. Once the mark was found, what follows it is not of this command and is kept in `rest`. */
  take(bytes: Uint8Array): { readonly output: Uint8Array; readonly rest: Uint8Array } {
    const data =
      this.held.length === 0
        ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
        : Buffer.concat([this.held, bytes])
    this.held = none
    if (this.said !== null) return { output: none, rest: data }
    const at = data.indexOf(this.opening)
    if (at < 0) return this.holdBack(data, this.beginning(data))
    const from = at + this.opening.length
    const end = data.indexOf(0, from)
    if (end < 0 && data.length - from <= saidMax) return this.holdBack(data, at)
    if (end < 0) return { output: data, rest: none }
    this.said = data.toString("latin1", from, end)
    return { output: data.subarray(0, at), rest: data.subarray(end + 1) }
  }

  /** What was held back and turned out to be no mark, when nothing more will come. */
  leftOver(): Uint8Array {
    const left = this.held
    this.held = none
    return left
  }

  private holdBack(data: Buffer, at: number) {
    this.held = Buffer.from(data.subarray(at))
    return { output: data.subarray(0, at), rest: none }
  }

  /** Where the last bytes could begin a mark; the end where they could not. */
  private beginning(data: Buffer): number {
    for (
      let at = data.indexOf(0, Math.max(0, data.length - this.opening.length));
      at >= 0;
      at = data.indexOf(0, at + 1)
    ) {
      if (this.opening.subarray(0, data.length - at).equals(data.subarray(at))) return at
    }
    return data.length
  }
}

const none: Buffer = Buffer.alloc(0)
const saidMax = 16
