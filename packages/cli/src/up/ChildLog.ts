import {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  truncateSync
} from "node:fs"

const bytesMax = 8 * 1024 * 1024
const kept = 2

/**
 * What a process writes, in a file that it holds itself: a supervisor that dies takes no pipe away from it. Rotated by
 * copying and emptying it, since the process goes on writing at the end of the same file; what it writes in between is
 * the price.
 */
export class ChildLog {
  readonly file: string
  private from: number
  private rest = ""

  constructor(file: string) {
    this.file = file
    this.from = existsSync(file) ? statSync(file).size : 0
  }

  /** A descriptor for a process to write to. The caller closes it. */
  open(): number {
    return openSync(this.file, "a", 0o600)
  }

  /** The whole lines that came since the last time. */
  news(): ReadonlyArray<string> {
    if (!existsSync(this.file)) return []
    const { size } = statSync(this.file)
    if (size < this.from) this.from = 0
    const text = this.rest + read(this.file, this.from, Math.min(size - this.from, 1024 * 1024))
    this.from = size
    const lines = text.split("\n")
    this.rest = lines.pop()!.slice(-65_536)
    if (size > bytesMax) this.rotate()
    return lines
  }

  /** The end of it, for whoever asks why a process ended. */
  tail(lines: number): ReadonlyArray<string> {
    if (!existsSync(this.file)) return []
    const { size } = statSync(this.file)
    const from = Math.max(0, size - 16_384)
    return read(this.file, from, size - from)
      .trimEnd()
      .split("\n")
      .slice(-lines)
  }

  private rotate(): void {
    for (let age = kept; age > 1; age--) {
      if (existsSync(`${this.file}.${age - 1}`)) renameSync(`${this.file}.${age - 1}`, `${this.file}.${age}`)
    }
    copyFileSync(this.file, `${this.file}.1`)
    truncateSync(this.file)
    this.from = 0
  }
}

const read = (path: string, from: number, bytes: number): string => {
  const file = openSync(path, "r")
  try {
    const buffer = Buffer.alloc(Math.max(0, Math.min(bytes, fstatSync(file).size - from)))
    return buffer.toString("utf8", 0, readSync(file, buffer, 0, buffer.length, from))
  } finally {
    closeSync(file)
  }
}
