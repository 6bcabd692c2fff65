import { Effect, Latch } from "effect"

/** What may be on its way to a client that has not said that it has it: so much is kept for it, and no more. */
const bytesMax = 1_048_576
const messagesMax = 4_096

/**
 * Counts what was sent and what was acknowledged. A socket takes everything that is written to it, however slow the other
 * side is; so it is the client that says how far it has come, and nothing is written beyond the window.
 */
export class FeedWindow {
  private readonly room = Latch.makeUnsafe(true)
  /** Bytes of each message that is not acknowledged, the oldest first. */
  private open: Array<number> = []
  private bytes = 0
  private sent = 0

  /** The number of the next message. It is written at once, so that numbers are in order. */
  next(bytes: number): number {
    this.open.push(bytes)
    this.bytes += bytes
    if (this.isFull) this.room.closeUnsafe()
    return ++this.sent
  }

  /** False where so many were never sent. */
  acknowledge(n: number): boolean {
    if (n > this.sent) return false
    const first = this.sent - this.open.length
    const taken = this.open.splice(0, Math.max(0, n - first))
    for (const bytes of taken) this.bytes -= bytes
    if (!this.isFull) this.room.openUnsafe()
    return true
  }

  private get isFull(): boolean {
    return this.bytes >= bytesMax || this.open.length >= messagesMax
  }

  readonly hasRoom: Effect.Effect<void> = Effect.suspend(() => Effect.asVoid(this.room.await))
}
