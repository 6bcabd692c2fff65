import type { Recorded } from "@troupe/domain/log/Envelope"
import { Effect, type Fiber, Latch, type Scope, Stream } from "effect"
import type { StoreUnavailable } from "../log/EventStore.ts"
import type { Listener } from "./Feeds.ts"
import type { FedFrame } from "./FedWire.ts"
import type { KeptPages } from "./KeptPages.ts"
import { WatchedPages } from "./WatchedPages.ts"
import { takesOut, WatchHub } from "./WatchHub.ts"
import type { OpenReader } from "./WatchReader.ts"

/** How long what a feed brings may take, before the store is asked for it. */
const underWayMs = 20

/** What sessions are watched with. */
export interface Watching {
  readonly read: (
    sessionId: string,
    after: number,
    limit?: number
  ) => Effect.Effect<ReadonlyArray<Recorded>, StoreUnavailable>
  /** What is published on this node. */
  readonly here: (sessionId: string) => Effect.Effect<Listener, never, Scope.Scope>
  /** Says that the owner's feed stands and when it ends, and brings what is published on another node. */
  readonly feed: (sessionId: string) => Stream.Stream<FedFrame, unknown>
  readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  /** Asks where the log of a session stands; `begin` tells it the answer. */
  readonly ask: (one: WatchedSession) => void
  readonly pages: KeptPages
  readonly pagesKeptMs: number
}

/** A session with readers on this node: its owner's feed as far as it reaches, and the store for what is missing. */
export class WatchedSession {
  readonly hub: WatchHub
  readonly readers = new Set<OpenReader>()
  /** Open while the owner's feed stands. */
  readonly stands = Latch.makeUnsafe(false)
  readonly pages: WatchedPages
  leftAt = 0
  private readonly watching: Watching
  private feed: Fiber.Fiber<void> | undefined
  private catchingUp = false
  private wanted = 0

  constructor(sessionId: string, watching: Watching) {
    this.hub = new WatchHub(sessionId)
    this.watching = watching
    this.pages = new WatchedPages({
      fork: watching.fork,
      kept: watching.pages,
      keptMs: watching.pagesKeptMs,
      read: (after, limit) => watching.read(sessionId, after, limit),
      seatOf: (seq) => this.hub.seatOf(seq)
    })
  }

  begin(version: number): void {
    const isFirst = this.hub.delivered === null
    this.hub.begin(version)
    const upto = Math.max(version, this.wanted)
    if (!this.isBehind(upto)) return
    if (isFirst) return this.catchUp(upto)
    // Most likely the feed brings it in a moment, with deltas that would be too late behind what the store says.
    const soon = Effect.sync(() => {
      if (this.isBehind(upto)) this.catchUp(upto)
    })
    this.watching.fork(Effect.delay(soon, underWayMs))
  }

  isBehind(version: number): boolean {
    return this.hub.delivered === null || this.hub.delivered < version
  }

  subscribe(): void {
    // Not awaited: the end of a stream from a frozen node may take as long as the node is frozen.
    this.feed?.interruptUnsafe()
    this.stands.closeUnsafe()
    let tries = 0
    const { sessionId } = this.hub
    const receive = (frame: FedFrame) =>
      Effect.sync(() => {
        tries = 0
        if (this.feed === fiber) this.receive(frame)
      })
    const listen = Effect.gen({ self: this }, function* () {
      // Before the feed stands: from then on nothing is missed.
      const { take } = yield* this.watching.here(sessionId)
      yield* Effect.forkScoped(Effect.forever(Effect.flatMap(take, receive)))
      yield* Stream.runForEach(this.watching.feed(sessionId), receive)
    }).pipe(Effect.scoped)
    const fiber: Fiber.Fiber<void> = this.watching.fork(
      Effect.exit(listen).pipe(
        Effect.andThen(Effect.suspend(() => Effect.sleep(Math.min(1_000, 20 * 2 ** tries++)))),
        Effect.forever
      )
    )
    this.feed = fiber
  }

  close(): void {
    this.feed?.interruptUnsafe()
    this.feed = undefined
  }

  private receive(frame: FedFrame): void {
    if (frame.length === 0) {
      // The feed stands: what was committed before it is for the store to tell.
      this.stands.openUnsafe()
      return this.watching.ask(this)
    }
    for (const fed of frame) {
      if (fed._tag === "Delta") {
        this.hub.delta(fed)
        continue
      }
      const last = fed.events[fed.events.length - 1]!.seq
      if (this.hub.delivered === null) this.wanted = Math.max(this.wanted, last)
      else if (!this.offer(fed.events)) this.catchUp(last)
    }
  }

  private offer(events: ReadonlyArray<Recorded>): boolean {
    if (events.some(takesOut)) this.pages.forgetAll()
    return this.hub.offer(events)
  }

  /** Reads what the hub lacks up to `upto`, however many ask for it meanwhile. */
  private catchUp(upto: number): void {
    this.wanted = Math.max(this.wanted, upto)
    if (this.catchingUp) return
    this.catchingUp = true
    const { hub, watching } = this
    const read = Effect.gen({ self: this }, function* () {
      while (hub.delivered !== null && hub.delivered < this.wanted) {
        const page = yield* watching.read(hub.sessionId, hub.delivered)
        if (page.length === 0) return
        this.offer(page)
      }
    })
    watching.fork(
      read.pipe(
        Effect.catchCause((cause) => Effect.logDebug("A watched session could not be read", cause)),
        Effect.ensuring(Effect.sync(() => (this.catchingUp = false)))
      )
    )
  }
}
