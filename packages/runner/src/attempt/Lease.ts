import type { Clock } from "effect"

/** How many signs of life may be on their way unanswered; older ones count for nothing. */
const outstandingMax = 64

/**
 * How long an attempt may begin things without hearing from a node. It counts from when the sign of life that was
 * answered was sent, so that the owner, who counts from when it was heard, never gives up first.
 */
export class Lease {
  private readonly clock: Clock.Clock
  private readonly leaseMs: () => number
  private sent: Array<{ readonly contact: number; readonly at: Instant }> = []
  private contacts = 0
  private from: Instant | null = null

  constructor(clock: Clock.Clock, leaseMs: () => number) {
    this.clock = clock
    this.leaseMs = leaseMs
  }

  /** A sign of life leaves now; its number. */
  contact(): number {
    this.sent.push({ contact: ++this.contacts, at: this.now() })
    if (this.sent.length > outstandingMax) this.sent.shift()
    return this.contacts
  }

  /** Signs up to this one were heard. */
  heard(contact: number): void {
    for (const one of this.sent) if (one.contact <= contact) this.from = one.at
    this.sent = this.sent.filter((one) => one.contact > contact)
  }

  /** The monotonic clock may stand still while a laptop sleeps, and the other one jump: whichever says longer is believed. */
  holds(): boolean {
    if (this.from === null) return false
    const { monotonic, wall } = this.now()
    const leaseMs = this.leaseMs()
    return monotonic - this.from.monotonic < BigInt(leaseMs) * 1_000_000n && wall - this.from.wall < leaseMs
  }

  private now(): Instant {
    return { monotonic: this.clock.monotonicTimeNanosUnsafe(), wall: this.clock.currentTimeMillisUnsafe() }
  }
}

interface Instant {
  readonly monotonic: bigint
  readonly wall: number
}
