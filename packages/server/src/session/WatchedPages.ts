import { Deferred, Effect, type Fiber, Schedule } from "effect"
import type { Recorded } from "@troupe/domain/log/Envelope"
import type { StoreUnavailable } from "../log/EventStore.ts"
import { Seat } from "./WatchHub.ts"

export interface WatchedPagesOptions {
  readonly read: (after: number) => Effect.Effect<ReadonlyArray<Recorded>, StoreUnavailable>
  readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  /** How long a page is kept once it was read: who comes back, comes back together. */
  readonly keptMs: number
}

/** Pages of the store for readers that are behind. Who stands at the same place shares one, and what it is encoded to. */
export class WatchedPages {
  private readonly options: WatchedPagesOptions
  private readonly pages = new Map<number, Deferred.Deferred<ReadonlyArray<Seat>, StoreUnavailable>>()

  constructor(options: WatchedPagesOptions) {
    this.options = options
  }

  after(seq: number): Effect.Effect<ReadonlyArray<Seat>, StoreUnavailable> {
    return Effect.suspend(() => Deferred.await(this.pages.get(seq) ?? this.begin(seq)))
  }

  private begin(seq: number): Deferred.Deferred<ReadonlyArray<Seat>, StoreUnavailable> {
    const { fork, keptMs, read } = this.options
    const page = Deferred.makeUnsafe<ReadonlyArray<Seat>, StoreUnavailable>()
    this.pages.set(seq, page)
    fork(
      read(seq).pipe(
        Effect.map((events) => events.map((event) => new Seat(event))),
        Effect.retry({ times: 10, schedule: Schedule.spaced(200) }),
        Effect.exit,
        Effect.map((exit) => Deferred.doneUnsafe(page, exit)),
        Effect.andThen(Effect.sleep(keptMs)),
        Effect.ensuring(Effect.sync(() => this.pages.delete(seq)))
      )
    )
    return page
  }
}
