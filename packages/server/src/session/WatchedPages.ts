import { Clock, Deferred, Effect, Exit, type Fiber, Schedule } from "effect"
import type { Recorded } from "@troupe/domain/log/Envelope"
import type { StoreUnavailable } from "../log/EventStore.ts"
import { eventBytes } from "./Feeds.ts"
import type { KeptPage, KeptPages } from "./KeptPages.ts"
import { Seat } from "./WatchHub.ts"

export interface WatchedPagesOptions {
  /** Events behind a place, at most so many; fewer where they are heavy. */
  readonly read: (after: number, limit: number) => Effect.Effect<ReadonlyArray<Recorded>, StoreUnavailable>
  /** An event that is on its way to readers already: it is encoded there. */
  readonly seatOf: (seq: number) => Seat | undefined
  readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  readonly kept: KeptPages
  /**
   * How long a page is kept that nobody wants: who comes back, comes back together. One that is wanted goes after ten times
   * as long too, so that what is redacted meanwhile is not shown for longer.
   */
  readonly keptMs: number
}

/** Pages end at multiples of this, wherever their readers come from: so these meet in the same ones. */
const pageEvents = 256

interface Page {
  readonly seats: Deferred.Deferred<ReadonlyArray<Seat>, StoreUnavailable>
  kept: KeptPage | undefined
  usedAt: number
}

/** Pages of the store for readers that are behind. All readers share them, and what they are encoded to. */
export class WatchedPages {
  private readonly options: WatchedPagesOptions
  private readonly pages = new Map<number, Page>()

  constructor(options: WatchedPagesOptions) {
    this.options = options
  }

  /** Some events behind a place, or none where none are there. */
  after(seq: number): Effect.Effect<ReadonlyArray<Seat>, StoreUnavailable> {
    return Effect.gen({ self: this }, function* () {
      let from = seq - (seq % pageEvents)
      while (true) {
        const seats = yield* this.page(from)
        const last = seats.at(-1)?.seq ?? from
        if (last > seq || last === from) return seats.filter((seat) => seat.seq > seq)
        // It was too heavy for more, or the log had no more when it was read.
        from = last
      }
    })
  }

  /** Whoever comes next reads the store. */
  forgetAll(): void {
    for (const [from, page] of this.pages) this.forget(from, page)
  }

  private page(from: number): Effect.Effect<ReadonlyArray<Seat>, StoreUnavailable> {
    return Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const page = this.pages.get(from) ?? this.begin(from, now)
      page.usedAt = now
      if (page.kept !== undefined) this.options.kept.use(page.kept)
      return Deferred.await(page.seats)
    })
  }

  private begin(from: number, now: number): Page {
    const { fork, keptMs, read, seatOf } = this.options
    const page: Page = { seats: Deferred.makeUnsafe(), kept: undefined, usedAt: now }
    this.pages.set(from, page)
    const unwanted = Effect.gen({ self: this }, function* () {
      while (this.pages.get(from) === page) {
        const left = Math.min(page.usedAt + keptMs, now + 10 * keptMs) - (yield* Clock.currentTimeMillis)
        if (left <= 0) return
        yield* Effect.sleep(left)
      }
    })
    fork(
      read(from, pageEvents - (from % pageEvents)).pipe(
        Effect.map((events) => events.map((event) => seatOf(event.seq) ?? new Seat(event))),
        Effect.retry({ times: 10, schedule: Schedule.spaced(200) }),
        Effect.exit,
        Effect.tap((exit) => Effect.sync(() => this.keep(from, page, exit))),
        Effect.andThen(unwanted),
        Effect.ensuring(Effect.sync(() => this.forget(from, page)))
      )
    )
    return page
  }

  /** Failures and empty pages are of no use to whoever comes next. */
  private keep(from: number, page: Page, exit: Exit.Exit<ReadonlyArray<Seat>, StoreUnavailable>): void {
    Deferred.doneUnsafe(page.seats, exit)
    if (Exit.isFailure(exit) || exit.value.length === 0) return this.forget(from, page)
    const bytes = exit.value.reduce((sum, { event }) => sum + eventBytes(event), 0)
    page.kept = { bytes, forget: () => this.forget(from, page) }
    this.options.kept.use(page.kept)
  }

  private forget(from: number, page: Page): void {
    if (page.kept !== undefined) this.options.kept.drop(page.kept)
    if (this.pages.get(from) === page) this.pages.delete(from)
  }
}
