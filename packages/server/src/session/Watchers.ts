import { Cause, Clock, Context, Effect, Fiber, Latch, Layer, Option, Scope } from "effect"
import * as Together from "../Together.ts"
import { Members } from "../cluster/Membership.ts"
import { EventStore, type StoreUnavailable } from "../log/EventStore.ts"
import { eventBytes, Feeds } from "./Feeds.ts"
import { KeptPages } from "./KeptPages.ts"
import { heardHeader, SessionFeed } from "./SessionFeed.ts"
import { Turnstile } from "./Turnstile.ts"
import { type Watching, WatchedSession } from "./WatchedSession.ts"
import { type Seat, type Seen, takenBytesMax } from "./WatchHub.ts"
import { OpenReader, type Reader } from "./WatchReader.ts"

export interface WatchersOptions {
  readonly checkEveryMs?: number
  /** How long a reader may be busy with what it took last before it is cut off. */
  readonly slowAfterMs?: number
  /** How long a session stays subscribed without readers, for those that come back at once. */
  readonly lingerMs?: number
}

const pageSize = 256
/** How long a feed may lag behind the store's answer before it counts as broken. */
const graceMs = 100
/** What is kept of sessions' logs for readers that are behind, of all sessions together. */
const pagesBytesMax = 64 * 1_048_576

/** As many of them as a reader gets at once: at least one. */
const portionOf = (seats: ReadonlyArray<Seat>): ReadonlyArray<Seat> => {
  let bytes = 0
  const end = seats.findIndex(({ event }) => (bytes += eventBytes(event)) >= takenBytesMax)
  return end < 0 ? seats : seats.slice(0, end + 1)
}

/**
 * Serves this node's readers of sessions, wherever the sessions live: one subscription a session to its owner's feed, the
 * store for what is older or was missed, and one query a second that finds out whether a feed has gone quiet.
 */
export class Watchers extends Context.Service<
  Watchers,
  {
    /** A place after `after` in the log of a session: everything later is taken from it once and in order. */
    readonly open: (sessionId: string, after: number) => Effect.Effect<Reader, never, Scope.Scope>
    /** Passes when it is the turn of one who comes to read: many of them come at once, and others work here too. */
    readonly turn: Effect.Effect<void>
    /** How far the log of a session goes: everything later was not there when this was asked. */
    readonly versionOf: (sessionId: string) => Effect.Effect<number, StoreUnavailable>
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
  const feeds = yield* Feeds
  const feedOf = yield* SessionFeed.client
  const scope = yield* Effect.scope
  const runFork = Effect.runForkWith(yield* Effect.context())
  const watched = new Map<string, WatchedSession>()
  const stopped = Latch.makeUnsafe(false)
  const turnstile = new Turnstile()
  const versionsOf = (some: ReadonlyArray<WatchedSession>) =>
    Effect.map(store.versions(some.map(({ hub }) => hub.sessionId)), (versions) =>
      some.map((one) => [one, versions.get(one.hub.sessionId) ?? 0] as const)
    )

  const currentVersion = yield* Together.make(store.versions, { underWayMax: 2, keysMax: 500 })

  // Many feeds begin at once when a node dies: their sessions are asked for together.
  const toAsk = new Set<WatchedSession>()
  const asked = Latch.makeUnsafe(false)
  const ask = Effect.gen(function* () {
    yield* asked.await
    yield* Effect.sleep(1)
    asked.closeUnsafe()
    const some = [...toAsk]
    toAsk.clear()
    for (const [one, version] of yield* versionsOf(some)) one.begin(version)
  }).pipe(Effect.tapError(() => Effect.sleep(200)))

  const watching: Watching = {
    fork: (effect) => Fiber.runIn(runFork(effect), scope),
    here: feeds.listen,
    feed: (sessionId) => feedOf(sessionId).Watch(undefined, { headers: { [heardHeader]: feeds.id } }),
    read: (sessionId, after, limit = pageSize) => store.read(sessionId, { after, limit }),
    pages: new KeptPages(pagesBytesMax),
    pagesKeptMs: checkEveryMs,
    ask: (one) => {
      toAsk.add(one)
      asked.openUnsafe()
    }
  }

  const enter = (sessionId: string): WatchedSession => {
    const known = watched.get(sessionId)
    if (known !== undefined) return known
    const one = new WatchedSession(sessionId, watching)
    watched.set(sessionId, one)
    one.subscribe()
    watching.ask(one)
    return one
  }

  const close = (one: WatchedSession): void => {
    watched.delete(one.hub.sessionId)
    toAsk.delete(one)
    one.close()
  }

  /** A feed that is silent while the log grows is broken, whatever its stream says: a frozen owner ends none. */
  const check = Effect.gen(function* () {
    yield* Effect.sleep(checkEveryMs)
    const now = clock.currentTimeMillisUnsafe()
    for (const one of watched.values()) {
      if (one.readers.size === 0 && now - one.leftAt > lingerMs) close(one)
      for (const reader of one.readers) reader.cutIfSlow(one.hub.sessionId, now, slowAfterMs)
    }
    if (watched.size === 0) return
    const late = (yield* versionsOf([...watched.values()])).filter(([one, version]) => one.isBehind(version))
    if (late.length === 0) return
    yield* Effect.sleep(graceMs)
    for (const [one, version] of late) {
      if (!one.isBehind(version) || !watched.has(one.hub.sessionId)) continue
      one.begin(version)
      one.subscribe()
    }
  })

  const next = (one: WatchedSession) =>
    Effect.callback<void>((resume) => {
      const forget = one.hub.onNext(() => resume(Effect.void))
      return Effect.sync(forget)
    })

  const takeFor = (one: WatchedSession, reader: OpenReader): Reader["take"] =>
    Effect.gen(function* () {
      reader.begins()
      while (true) {
        if (reader.isCut) return yield* reader.cut
        if (stopped.isOpen()) return yield* Cause.done()
        const seen = one.hub.take(reader.place)
        if (seen !== null && seen.length > 0) return seen
        if (seen !== null) {
          yield* next(one)
          continue
        }
        const seats = portionOf(yield* one.pages.after(reader.place.seq))
        yield* turnstile.pass
        const last = seats[seats.length - 1]
        if (last !== undefined) {
          reader.place.seq = last.seq
          return [{ _tag: "Events", events: seats }] satisfies ReadonlyArray<Seen>
        }
        yield* Effect.sleep(checkEveryMs / 10)
      }
    }).pipe(Effect.ensuring(Effect.sync(() => reader.took(clock.currentTimeMillisUnsafe()))))

  const leave = (one: WatchedSession, reader: OpenReader) =>
    Effect.sync(() => {
      one.readers.delete(reader)
      if (one.readers.size === 0) one.leftAt = clock.currentTimeMillisUnsafe()
    })

  // Not acquireRelease: that keeps what its caller has to work with, and readers are many.
  const open = (sessionId: string, after: number) =>
    Effect.flatMap(Effect.scope, (of) =>
      Effect.suspend(() => {
        const one = enter(sessionId)
        const reader = new OpenReader(one.hub.placeAfter(after), clock.currentTimeMillisUnsafe())
        one.readers.add(reader)
        return Effect.as(Scope.addFinalizer(of, leave(one, reader)), {
          take: takeFor(one, reader),
          live: one.stands.await,
          cut: reader.cut,
          onCut: (tell) => reader.onCut(tell)
        } satisfies Reader)
      })
    ).pipe(Effect.uninterruptible)

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
    Effect.map(members.gone, () => watched.forEach((one) => one.subscribe()))
  )
  const stop = Effect.sync(() => {
    stopped.openUnsafe()
    for (const { hub } of watched.values()) hub.wake()
  })
  yield* Effect.addFinalizer(() => stop)

  return Watchers.of({
    open,
    turn: turnstile.pass,
    stop,
    versionOf: (sessionId) =>
      Effect.map(
        currentVersion(sessionId),
        Option.getOrElse(() => 0)
      ),
    counts: Effect.sync(() => ({
      sessions: watched.size,
      readers: [...watched.values()].reduce((sum, { readers }) => sum + readers.size, 0)
    }))
  })
})
