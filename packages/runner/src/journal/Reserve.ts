import { closeSync, existsSync, fstatSync, fsyncSync, ftruncateSync, openSync, writeSync } from "node:fs"

/**
 * Space on the disk that is taken in advance. When the disk is full it is given back piece by piece, so that an attempt
 * that hits the end can still say how it ended.
 */
export class Reserve {
  private readonly path: string
  private readonly bytes: number
  private isFull = false

  constructor(path: string, bytes: number) {
    this.path = path
    this.bytes = bytes
  }

  /** Takes what is missing; false where the disk has not so much. What could be taken is kept. */
  fill(): boolean {
    if (this.isFull) return true
    const file = openSync(this.path, existsSync(this.path) ? "r+" : "wx", 0o600)
    try {
      // Written and not only sized: a sparse file holds no space.
      const block = Buffer.alloc(65_536, 0x2e)
      for (let at = fstatSync(file).size; at < this.bytes;) {
        at += writeSync(file, block, 0, Math.min(block.length, this.bytes - at), at)
      }
      fsyncSync(file)
      this.isFull = true
      return true
    } catch {
      return false
    } finally {
      closeSync(file)
    }
  }

  /** Gives space back for so many bytes, rounded up to whole blocks of any file system. Where it has none, it can't. */
  release(bytes: number): void {
    this.isFull = false
    if (!existsSync(this.path)) return
    const file = openSync(this.path, "r+")
    try {
      const { size } = fstatSync(file)
      ftruncateSync(file, Math.max(0, size - Math.ceil(bytes / 65_536) * 65_536))
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
  }
}
