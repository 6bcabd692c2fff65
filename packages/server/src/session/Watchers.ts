import {
  Cause,
  Clock,
  Context,
  Deferred,
  Effect,
  Fiber,
  Latch,
  Layer,
  Schedule,
  Schema,
  Stream,
  type Scope
} from "effect"
import { Members } from "../cluster/Membership.ts"
import { EventStore, type StoreUnavailable } from "../log/EventStore.ts"
import type { FedFrame } from "./FedWire.ts"
import { SessionFeed } from "./SessionFeed.ts"
import { Seat, WatchHub, type Place, type Seen } from "./WatchHub.ts"

/** The reader took nothing for too long while there was something to take. It resumes after `lastSeq`. */
export class SlowReader extends Schema.TaggedError<SlowReader>()("SlowReader", {
  sessionId: Schema.String,
  lastSeq: Schema.Int
}) {
  override get message() {
    return `The reader of ${this.sessionId} fell behind after ${this.lastSeq}`
  }
}

export interface Reader {
  /** What comes next, at least one; waits for it. Ends with `Done` when the node stops serving readers. */
  readonly take: Effect.Effect<ReadonlyArray<Seen>, SlowReader | StoreUnavailable | Cause.Done>
  /** Completes once the owner's feed stands: from then on deltas come too. Events are never missed, however it stands. */
  readonly live: Effect.Effect<void>
  /** Fails when the reader is cut off: for one that hangs in a write and takes nothing. */
  readonly cut: Effect.Effect<never, SlowReader>
}

export interface WatchersOptions {
  readonly checkEveryMs?: number
  /** How long a reader may be busy with what it took last before it is cut off. */
  readonly slowAfterMs?: number
  /** How long a session stays subscribed without readers, for those that come back at once. */
  readonly lingerMs?: number
}

interface OpenReader {
  readonly place: Place
  readonly ended: Deferred.Deferred<never, SlowReader>
  waiting: boolean
  tookAt: number
}

interface Watched {
  readonly hub: WatchHub
  readonly readers: Set<OpenReader>
  readonly pages: Map<number, Deferred.Deferred<ReadonlyArray<Seat>, StoreUnavailable>>
  feed: Fiber.Fiber<void> | undefined
  readonly stands: Latch.Latch
  catchingUp: boolean
  wanted: number
  leftAt: number
}

const pageSize = 256
/** How long a feed may lag behind the store's answer before it counts as broken. */
const graceMs = 100

/**
 * Serves this node's readers of sessions, wherever the sessions live: one subscription a session to its owner's feed, the
 * store for what is older or was missed, and one query a second that finds out whether a feed has gone quiet.
 */
export class Watchers extends Context.Service<
  Watchers,
  {
    /** A place after `after` in the log of a session: everything later is taken from it once and in order. */
    readonly open: (sessionId: string, after: number) => Effect.Effect<Reader, never, Scope.Scope>
    readonly watch: (sessionId: string, after: number) => Stream.Stream<Seen, SlowReader | StoreUnavailable>
    /** Ends every reader's stream: the node is going. */
    readonly stop: Effect.Effect<void>
    readonly counts: Effect.Effect<{ readonly sessions: number; readonly readers: number }>
  }
>()("server/Watchers") {
  static readonly layer = (options: WatchersOptions = {}) => Layer.effect(Watchers, make(options))
}

const make = Effect.fnUntraced(function* (options: WatchersOptions) {
  const { checkEveryMs = 1_000, lingerMs = 5_000, slowAfterMs = 30_000 } = options
  const store = yield* EventStore
  const clock = yield* Clock.Clock
  const members = yield* Members
  const feedOf = yield* SessionFeed.client
  const scope = yield* Effect.scope
  const runFork = Effect.runForkWith(yield* Effect.context())
  const watched = new Map<string, Watched>()
  const stopped = Latch.makeUnsafe(false)
  const fork = (effect: Effect.Effect<void>): Fiber.Fiber<void> => Fiber.runIn(runFork(effect), scope)

  /** Reads what the hub lacks up to `upto`, however many ask for it meanwhile. */
  const catchUp = (one: Watched, upto: number): void => {
    one.wanted = Math.max(one.wanted, upto)
    if (one.catchingUp) return
    one.catchingUp = true
    const { hub } = one
    const read = Effect.gen(function* () {
      while (hub.delivered !== null && hub.delivered < one.wanted) {
        const page = yield* store.read(hub.sessionId, { after: hub.delivered, limit: pageSize })
        if (page.length === 0) return
        hub.offer(page)
      }
    })
    fork(
      read.pipe(
        Effect.catchCause((cause) => Effect.logDebug("A watched session could not be read", cause)),
        Effect.ensuring(
          Effect.sync(() => {
            one.catchingUp = false
          })
        )
      )
    )
  }

  const begin = (one: Watched, version: number): void => {
    one.hub.begin(version)
    const upto = Math.max(version, one.wanted)
    if (one.hub.delivered! < upto) catchUp(one, upto)
  }

  const receive = (one: Watched, frame: FedFrame): void => {
    if (frame.length === 0) {
      // The feed stands: what was committed before it is for the store to tell.
      one.stands.openUnsafe()
      return askSoon(one)
    }
    for (const fed of frame) {
      if (fed._tag === "Delta") {
        one.hub.delta(fed)
        continue
      }
      const last = fed.events[fed.events.length - 1]!.seq
      if (one.hub.delivered === null) one.wanted = Math.max(one.wanted, last)
      else if (!one.hub.offer(fed.events)) catchUp(one, last)
    }
  }

  const subscribe = (one: Watched): void => {
    const last = one.feed
    // Not awaited: the end of a stream from a frozen node may take as long as the node is frozen.
    if (last !== undefined) last.interruptUnsafe()
    one.stands.closeUnsafe()
    const { sessionId } = one.hub
    let tries = 0
    const listen = Stream.runForEach(feedOf(sessionId).Watch(), (frame) =>
      Effect.sync(() => {
        tries = 0
        if (one.feed === fiber) receive(one, frame)
      })
    )
    const fiber: Fiber.Fiber<void> = fork(
      Effect.exit(listen).pipe(
        Effect.andThen(Effect.suspend(() => Effect.sleep(Math.min(1_000, 20 * 2 ** tries++)))),
        Effect.forever
      )
    )
    one.feed = fiber
  }

  const versionsOf = (some: ReadonlyArray<Watched>) =>
    Effect.map(store.versions(some.map(({ hub }) => hub.sessionId)), (versions) =>
      some.map((one) => [one, versions.get(one.hub.sessionId) ?? 0] as const)
    )

  // Many feeds begin at once when a node dies: their sessions are asked for together.
  const toAsk = new Set<Watched>()
  const asked = Latch.makeUnsafe(false)
  const askSoon = (one: Watched): void => {
    toAsk.add(one)
    asked.openUnsafe()
  }
  const ask = Effect.gen(function* () {
    yield* asked.await
    yield* Effect.sleep(1)
    asked.closeUnsafe()
    const some = [...toAsk]
    toAsk.clear()
    for (const [one, version] of yield* versionsOf(some)) begin(one, version)
  }).pipe(Effect.tapError(() => Effect.sleep(200)))

  const behind = (versions: ReadonlyArray<readonly [Watched, number]>) =>
    versions.filter(([{ hub }, version]) => hub.delivered === null || hub.delivered < version)

  /** A feed that is silent while the log grows is broken, whatever its stream says: a frozen owner ends none. */
  const check = Effect.gen(function* () {
    yield* Effect.sleep(checkEveryMs)
    const now = clock.currentTimeMillisUnsafe()
    for (const one of watched.values()) {
      if (one.readers.size === 0 && now - one.leftAt > lingerMs) close(one)
      for (const reader of one.readers) cutIfSlow(one, reader, now)
    }
    if (watched.size === 0) return
    const late = behind(yield* versionsOf([...watched.values()]))
    if (late.length === 0) return
    yield* Effect.sleep(graceMs)
    for (const [one, version] of behind(late)) {
      if (!watched.has(one.hub.sessionId)) continue
      begin(one, version)
      subscribe(one)
    }
  })

  const cutIfSlow = ({ hub }: Watched, reader: OpenReader, now: number): void => {
    if (reader.waiting || now - reader.tookAt < slowAfterMs) return
    const slow = new SlowReader({ sessionId: hub.sessionId, lastSeq: reader.place.seq })
    Deferred.doneUnsafe(reader.ended, Effect.fail(slow))
  }

  const close = (one: Watched): void => {
    watched.delete(one.hub.sessionId)
    toAsk.delete(one)
    one.feed?.interruptUnsafe()
    one.feed = undefined
  }

  const enter = (sessionId: string): Watched => {
    const known = watched.get(sessionId)
    if (known !== undefined) return known
    const one: Watched = {
      hub: new WatchHub(sessionId),
      readers: new Set(),
      pages: new Map(),
      feed: undefined,
      stands: Latch.makeUnsafe(false),
      catchingUp: false,
      wanted: 0,
      leftAt: 0
    }
    watched.set(sessionId, one)
    subscribe(one)
    askSoon(one)
    return one
  }

  /** A page of the store for readers that are behind. Who stands at the same place shares it, and what it is encoded to. */
  const page = (one: Watched, after: number) =>
    Effect.suspend(() => {
      const known = one.pages.get(after)
      if (known !== undefined) return Deferred.await(known)
      const reading = Deferred.makeUnsafe<ReadonlyArray<Seat>, StoreUnavailable>()
      one.pages.set(after, reading)
      const read = store.read(one.hub.sessionId, { after, limit: pageSize }).pipe(
        Effect.map((events) => events.map((event) => new Seat(event))),
        Effect.retry({ times: 10, schedule: Schedule.spaced(200) })
      )
      fork(
        Effect.exit(read).pipe(
          Effect.map((exit) => {
            Deferred.doneUnsafe(reading, exit)
          }),
          // Kept for a moment: who comes back, comes back together.
          Effect.andThen(Effect.sleep(checkEveryMs)),
          Effect.ensuring(Effect.sync(() => one.pages.delete(after)))
        )
      )
      return Deferred.await(reading)
    })

  const next = (one: Watched) =>
    Effect.callback<void>((resume) => {
      const forget = one.hub.onNext(() => resume(Effect.void))
      return Effect.sync(forget)
    })

  const takeFor = (one: Watched, reader: OpenReader): Reader["take"] =>
    Effect.gen(function* () {
      reader.waiting = true
      while (true) {
        if (Deferred.isDoneUnsafe(reader.ended)) return yield* Deferred.await(reader.ended)
        if (stopped.isOpen()) return yield* Cause.done()
        const seen = one.hub.take(reader.place)
        if (seen !== null && seen.length > 0) return seen
        if (seen !== null) {
          yield* Effect.raceFirst(next(one), stopped.await)
          continue
        }
        const seats = yield* page(one, reader.place.seq)
        const last = seats[seats.length - 1]
        if (last !== undefined) {
          reader.place.seq = last.seq
          return [{ _tag: "Events", events: seats }] satisfies ReadonlyArray<Seen>
        }
        yield* Effect.sleep(checkEveryMs / 10)
      }
    }).pipe(
      Effect.ensuring(
        Effect.sync(() => {
          reader.waiting = false
          reader.tookAt = clock.currentTimeMillisUnsafe()
        })
      )
    )

  const open = (sessionId: string, after: number) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const one = enter(sessionId)
        const reader: OpenReader = {
          place: one.hub.placeAfter(after),
          ended: Deferred.makeUnsafe(),
          waiting: false,
          tookAt: clock.currentTimeMillisUnsafe()
        }
        one.readers.add(reader)
        return { one, reader }
      }),
      ({ one, reader }) =>
        Effect.sync(() => {
          one.readers.delete(reader)
          if (one.readers.size === 0) one.leftAt = clock.currentTimeMillisUnsafe()
        })
    ).pipe(
      Effect.map(({ one, reader }): Reader => ({
        take: takeFor(one, reader),
        live: one.stands.await,
        cut: Deferred.await(reader.ended)
      }))
    )

  const forever = (name: string, effect: Effect.Effect<void, StoreUnavailable>) =>
    effect.pipe(
      Effect.catchCause((cause) => Effect.logDebug(`Watched sessions: ${name} failed`, cause)),
      Effect.forever,
      Effect.forkScoped
    )
  yield* forever("asking", ask)
  yield* forever("checking", check)
  yield* forever(
    "subscribing again",
    Effect.map(members.gone, () => watched.forEach(subscribe))
  )
  const stop = Effect.asVoid(stopped.open)
  yield* Effect.addFinalizer(() => stop)

  return Watchers.of({
    open,
    stop,
    watch: (sessionId, after) =>
      Stream.unwrap(
        Effect.map(open(sessionId, after), ({ take }) =>
          Stream.flatMap(Stream.fromEffectRepeat(take), Stream.fromIterable)
        )
      ),
    counts: Effect.sync(() => ({
      sessions: watched.size,
      readers: [...watched.values()].reduce((sum, { readers }) => sum + readers.size, 0)
    }))
  })
})
