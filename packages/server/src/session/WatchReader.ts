import { type Cause, Context, Deferred, Effect, Metric, Schema } from "effect"
import type { StoreUnavailable } from "../log/EventStore.ts"
import type { Place, Seen } from "./WatchHub.ts"

/** The reader took nothing for too long while there was something to take. It resumes after `lastSeq`. */
export class SlowReader extends Schema.TaggedError<SlowReader>()("SlowReader", {
  sessionId: Schema.String,
  lastSeq: Schema.Int
}) {
  override get message() {
    return `The reader of ${this.sessionId} fell behind after ${this.lastSeq}`
  }
}

const cutOff = Metric.counter("troupe_readers_cut_total", {
  description: "Readers of sessions that took nothing for too long and were cut off",
  incremental: true
})

export interface Reader {
  /** What comes next, at least one; waits for it. Ends with `Done` when the node stops serving readers. */
  readonly take: Effect.Effect<ReadonlyArray<Seen>, SlowReader | StoreUnavailable | Cause.Done>
  /** Completes once the owner's feed stands: from then on deltas come too. Events are never missed, however it stands. */
  readonly live: Effect.Effect<void>
  /** Fails when the reader is cut off: for one that hangs in a write and takes nothing. */
  readonly cut: Effect.Effect<never, SlowReader>
  /** Calls once then: less to keep than somebody who waits, where readers are many. */
  readonly onCut: (tell: () => void) => void
}

/** A reader's place, and whether it still comes for more. */
export class OpenReader {
  readonly place: Place
  private readonly ended = Deferred.makeUnsafe<never, SlowReader>()
  private tell: () => void = () => undefined
  private waiting = false
  private tookAt: number

  constructor(place: Place, now: number) {
    this.place = place
    this.tookAt = now
  }

  get cut(): Effect.Effect<never, SlowReader> {
    return Deferred.await(this.ended)
  }

  get isCut(): boolean {
    return Deferred.isDoneUnsafe(this.ended)
  }

  onCut(tell: () => void): void {
    this.tell = tell
  }

  begins(): void {
    this.waiting = true
  }

  took(now: number): void {
    this.waiting = false
    this.tookAt = now
  }

  cutIfSlow(sessionId: string, now: number, slowAfterMs: number): void {
    if (this.waiting || now - this.tookAt < slowAfterMs) return
    const slow = new SlowReader({ sessionId, lastSeq: this.place.seq })
    if (Deferred.doneUnsafe(this.ended, Effect.fail(slow))) cutOff.updateUnsafe(1, Context.empty())
    this.tell()
  }
}
