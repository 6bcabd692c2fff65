import type { EventId } from "@troupe/domain/Ids"
import type { Output } from "@troupe/domain/runner/Attempt"
import { type Scrubber, TextScrubber } from "../secrets/Scrubber.ts"

type Delta = Extract<Output, { readonly _tag: "Delta" }>

const waitingCharsMax = 65_536
const blocksMax = 64

interface Block {
  readonly text: TextScrubber
  /** Where the next piece begins as it was written, and as it is shown. */
  written: number
  shown: number
}

/** Text on its way past the journal: joined while it waits, and dropped where nobody takes it. */
export class Deltas {
  private readonly scrubber: Scrubber
  private readonly blocks = new Map<string, Block>()
  private waiting: Array<Delta> = []
  private chars = 0

  constructor(scrubber: Scrubber) {
    this.scrubber = scrubber
  }

  /** True where there is something new to take. */
  push(blockId: EventId, offset: number, piece: string, afterFrame: number, isWanted: boolean): boolean {
    const block = this.block(blockId)
    // A piece that was left out is missing in what is shown too.
    block.shown += offset - block.written
    block.written = offset + piece.length
    const text = block.text.push(piece)
    const shownAt = block.shown
    block.shown += text.length
    if (text === "" || !isWanted || this.chars + text.length > waitingCharsMax) return false
    this.chars += text.length
    const last = this.waiting.at(-1)
    const follows =
      last?.blockId === blockId && last.afterFrame === afterFrame && last.offset + last.text.length === shownAt
    if (follows) this.waiting[this.waiting.length - 1] = { ...last, text: last.text + text }
    else this.waiting.push({ _tag: "Delta", blockId, offset: shownAt, text, afterFrame })
    return true
  }

  /** A block of thinking has begun: what is thought is for nobody to see before it is whole. */
  begin(blockId: EventId, afterFrame: number): void {
    this.waiting.push({ _tag: "Delta", blockId, offset: 0, text: "", afterFrame, kind: "thinking" })
  }

  take(): Delta | undefined {
    const delta = this.waiting.shift()
    if (delta !== undefined) this.chars -= delta.text.length
    return delta
  }

  /** The whole block is in a frame: what waits of it is no longer news. */
  finished(blockId: EventId): void {
    this.blocks.delete(blockId)
    this.waiting = this.waiting.filter((delta) => delta.blockId !== blockId)
    this.chars = this.waiting.reduce((sum, delta) => sum + delta.text.length, 0)
  }

  clear(): void {
    this.waiting = []
    this.chars = 0
  }

  private block(blockId: EventId): Block {
    const known = this.blocks.get(blockId)
    if (known !== undefined) return known
    for (const oldest of this.blocks.keys()) {
      if (this.blocks.size < blocksMax) break
      this.blocks.delete(oldest)
    }
    const block: Block = { text: new TextScrubber(this.scrubber), written: 0, shown: 0 }
    this.blocks.set(blockId, block)
    return block
  }
}
