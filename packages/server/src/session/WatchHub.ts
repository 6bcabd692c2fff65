import type { Recorded } from "@troupe/domain/log/Envelope"
import { eventBytes, type Fed } from "./Feeds.ts"

export type Delta = Extract<Fed, { readonly _tag: "Delta" }>

/** A way to show an event: a view is made once, and what it makes of an event is kept with the event. */
export interface View<A> {
  readonly encode: (seat: Seat) => A
}

/** An event on its way to readers. It is encoded once for each view, whoever many readers there are. */
export class Seat {
  readonly event: Recorded
  private readonly shown: Array<readonly [View<unknown>, unknown]> = []

  constructor(event: Recorded) {
    this.event = event
  }

  get seq(): number {
    return this.event.seq
  }

  as<A>(view: View<A>): A {
    for (const [known, encoded] of this.shown) if (known === view) return encoded as A
    const encoded = view.encode(this)
    this.shown.push([view, encoded])
    return encoded
  }
}

export type Seen =
  /** Contiguous with what the reader saw before. */
  | { readonly _tag: "Events"; readonly events: ReadonlyArray<Seat> }
  /** May be missing, is never wrong. */
  | { readonly _tag: "Delta"; readonly delta: Delta }

/** What is kept for readers that are a little behind. Who is further behind reads the store. */
const recentMax = 1_024
const recentBytesMax = 2_097_152
/** What a reader gets at once: as much as it may have to keep while the other side takes it. */
export const takenBytesMax = 131_072

/** From then on nobody is shown what is kept of the log from before: who is behind reads it anew. */
export const takesOut = ({ type }: Recorded): boolean => type === "RedactionApplied"

/** Where a reader stands: the last event it got, and its place among what is kept. */
export interface Place {
  seq: number
  at: number
}

/**
 * One watched session as a node knows it: how far its log was delivered here, and the last events and deltas in the order
 * they came. Readers have no buffers of their own, only a place in this one. All of it is synchronous.
 */
export class WatchHub {
  readonly sessionId: string
  /** `seq` up to which every event was offered to readers; null until the store has said where the log stands. */
  delivered: number | null = null
  private recent: Array<Seat | Delta> = []
  /** The number of the first one kept, counted from the first one ever. */
  private first = 0
  private bytes = 0
  private readonly waiting = new Set<() => void>()

  constructor(sessionId: string) {
    this.sessionId = sessionId
  }

  private get end(): number {
    return this.first + this.recent.length
  }

  /** The log stands here: what is older is not offered, readers get it from the store. */
  begin(version: number): void {
    if (this.delivered !== null) return
    this.delivered = version
    this.wake()
  }

  /** Takes events that follow what was delivered and leaves the rest; false where something is missing before them. */
  offer(events: ReadonlyArray<Recorded>): boolean {
    if (this.delivered === null) return true
    let contiguous = true
    let some = false
    for (const event of events) {
      if (event.seq <= this.delivered) continue
      if (event.seq > this.delivered + 1) {
        contiguous = false
        break
      }
      this.delivered = event.seq
      this.keep(new Seat(event), eventBytes(event))
      if (takesOut(event)) this.forgetAllBut(1)
      some = true
    }
    if (some) this.wake()
    return contiguous
  }

  /** One that is older than what the store has told meanwhile is of no use: its block may be finished. */
  delta(delta: Delta): void {
    if (this.delivered !== null && delta.after < this.delivered) return
    this.keep(delta, delta.text.length)
    this.wake()
  }

  /** Where a reader begins that has everything up to `seq`: with the deltas that came since. */
  placeAfter(seq: number): Place {
    let at = this.end
    while (at > this.first) {
      const one = this.recent[at - 1 - this.first]!
      if (one instanceof Seat && one.seq <= seq) break
      at--
    }
    return { seq, at }
  }

  /** What is kept for a reader, and moves it on; null where the reader has to read the store first. */
  take(place: Place): ReadonlyArray<Seen> | null {
    if (this.delivered === null) return []
    if (place.at < this.first) place.at = this.first
    if (place.seq < this.before(place.at)) return null
    const seen: Array<Seen> = []
    let events: Array<Seat> = []
    let bytes = 0
    const flush = () => {
      if (events.length > 0) seen.push({ _tag: "Events", events })
      events = []
    }
    for (; place.at < this.end && bytes < takenBytesMax; place.at++) {
      const one = this.recent[place.at - this.first]!
      if (!(one instanceof Seat)) {
        // The reader may have read on in the store.
        if (one.after < place.seq) continue
        flush()
        seen.push({ _tag: "Delta", delta: one })
        bytes += one.text.length
      } else if (one.seq > place.seq) {
        events.push(one)
        bytes += eventBytes(one.event)
        place.seq = one.seq
      }
    }
    flush()
    return seen
  }

  /** An event that is kept here. */
  seatOf(seq: number): Seat | undefined {
    if (seq <= this.before(this.first)) return undefined
    return this.recent.find((one): one is Seat => one instanceof Seat && one.seq === seq)
  }

  /** Whom this calls is told once of what comes next. */
  onNext(wake: () => void): () => void {
    this.waiting.add(wake)
    return () => this.waiting.delete(wake)
  }

  /** What a reader has to have before it goes on from this place: the events kept are contiguous. */
  private before(at: number): number {
    for (let i = at - this.first; i < this.recent.length; i++) {
      const one = this.recent[i]!
      if (one instanceof Seat) return one.seq - 1
    }
    return this.delivered ?? 0
  }

  private keep(one: Seat | Delta, bytes: number): void {
    this.recent.push(one)
    this.bytes += bytes
    if (this.recent.length <= recentMax && this.bytes <= recentBytesMax) return
    // Half at a time: taking one off the front of an array for each that comes would cost more than all else here.
    this.forgetAllBut(Math.floor(this.recent.length / 2))
  }

  private forgetAllBut(newest: number): void {
    const dropped = this.recent.splice(0, this.recent.length - newest)
    this.first += dropped.length
    for (const old of dropped) this.bytes -= old instanceof Seat ? eventBytes(old.event) : old.text.length
  }

  /** Tells those who wait to look again. */
  wake(): void {
    const waiting = [...this.waiting]
    this.waiting.clear()
    for (const wake of waiting) wake()
  }
}
