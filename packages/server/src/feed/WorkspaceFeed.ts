import { toUuid, type WorkspaceId } from "@troupe/domain/Ids"
import { Cause, Context, Effect, Latch, Layer, type Scope } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Cursor } from "../log/EventStore.ts"
import type { Change } from "./changes.ts"
import { changesAfter, type PlacedChange, present } from "./ChangeReads.ts"
import { compare } from "./FeedCursor.ts"

export interface Batch {
  /** What came was too much to be told: the reader goes on at the present. */
  readonly reset: boolean
  readonly changes: ReadonlyArray<{ readonly cursor: Cursor; readonly change: Change }>
  /** Everything up to here was told. */
  readonly cursor: Cursor
}

export interface FeedReader {
  readonly begins: Cursor
  /** What comes next; perhaps nothing but a later place. Ends with `Done` when the node stops serving readers. */
  readonly take: Effect.Effect<Batch, SqlError | Cause.Done>
}

const everyMs = 100
const pageSize = 500
/** What is kept for all readers together. Who is further behind reads the log. */
const recentMax = 2_048
/** How many events a reader has looked through for it at most, to catch up. */
const behindMax = 50_000

/** What happens in workspaces, to those who look at them: one reading of the logs a node, however many look. */
export class WorkspaceFeed extends Context.Service<
  WorkspaceFeed,
  {
    /** From a place on; null: from now on. */
    readonly open: (workspaceId: WorkspaceId, after: Cursor | null) => Effect.Effect<FeedReader, SqlError, Scope.Scope>
    /** Ends every reader's stream: the node is going. */
    readonly stop: Effect.Effect<void>
  }
>()("server/WorkspaceFeed") {
  static readonly layer: Layer.Layer<WorkspaceFeed, never, SqlClient.SqlClient> = Layer.effect(
    WorkspaceFeed,
    Effect.suspend(() => make)
  )
}

/** What was read last, of all workspaces: from `from` on up to `upto` nothing is missing. */
class Recent {
  from: Cursor
  upto: Cursor
  private kept: Array<PlacedChange> = []

  constructor(at: Cursor) {
    this.from = at
    this.upto = at
  }

  push(changes: ReadonlyArray<PlacedChange>, upto: Cursor): void {
    this.kept.push(...changes)
    this.upto = upto
    if (this.kept.length <= recentMax) return
    const dropped = this.kept.splice(0, this.kept.length - recentMax / 2)
    this.from = dropped.at(-1)!.cursor
  }

  after(cursor: Cursor): ReadonlyArray<PlacedChange> {
    let at = this.kept.length
    while (at > 0 && compare(this.kept[at - 1]!.cursor, cursor) > 0) at--
    return this.kept.slice(at)
  }
}

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const withSql = Effect.provideService(SqlClient.SqlClient, sql)
  const stopped = Latch.makeUnsafe(false)
  const wanted = Latch.makeUnsafe(false)
  /** Closed until something is read: whoever waits looks again then. */
  let news = Latch.makeUnsafe(false)
  let readers = 0
  let recent: Recent | null = null

  const follow = Effect.gen(function* () {
    yield* wanted.await
    const at = recent
    if (at === null) return yield* Effect.sleep(everyMs)
    const page = yield* withSql(changesAfter(at.upto, pageSize))
    if (page.looked > 0) {
      at.push(page.changes, page.cursor)
      const told = news
      news = Latch.makeUnsafe(false)
      told.openUnsafe()
    }
    if (page.looked < pageSize) yield* Effect.sleep(everyMs)
  })
  yield* follow.pipe(
    Effect.catchCause((cause) =>
      Effect.andThen(Effect.logDebug("What happens in workspaces could not be read", cause), Effect.sleep(1_000))
    ),
    Effect.forever,
    Effect.forkScoped
  )

  const enter = Effect.acquireRelease(
    Effect.sync(() => {
      readers++
      wanted.openUnsafe()
    }),
    () =>
      Effect.sync(() => {
        readers--
        if (readers > 0) return
        // What nobody looks at is not read. The next one to look begins anew.
        wanted.closeUnsafe()
        recent = null
      })
  )

  const open: WorkspaceFeed["Service"]["open"] = Effect.fn("WorkspaceFeed.open")(function* (workspaceId, after) {
    const workspace = toUuid(workspaceId)!
    const now = yield* withSql(present())
    yield* enter
    recent ??= new Recent(now)
    // A place that is not reached yet is none of this database's.
    let lost = after !== null && compare(after, now) > 0
    let place = after === null || lost ? now : after
    let behind = 0

    const batch = (changes: ReadonlyArray<PlacedChange>, cursor: Cursor, reset = false): Batch => {
      place = cursor
      return { reset, cursor, changes: changes.filter((one) => one.workspace === workspace) }
    }

    const take: FeedReader["take"] = Effect.gen(function* () {
      while (true) {
        if (stopped.isOpen()) return yield* Cause.done()
        const next = news
        if (lost) {
          lost = false
          return batch([], place, true)
        }
        if (recent !== null && compare(place, recent.from) >= 0) {
          behind = 0
          if (compare(place, recent.upto) < 0) return batch(recent.after(place), recent.upto)
        } else if (recent !== null) {
          if (behind > behindMax) {
            behind = 0
            return batch([], recent.upto, true)
          }
          const page = yield* withSql(changesAfter(place, pageSize))
          behind += page.looked
          if (page.looked > 0) return batch(page.changes, page.cursor)
          // Nothing lies between: from here on, what is kept is all there is.
          place = compare(place, recent.from) < 0 ? recent.from : place
          continue
        }
        yield* Effect.raceFirst(Effect.raceFirst(next.await, Effect.sleep(1_000)), stopped.await)
      }
    })
    return { begins: place, take }
  })

  const stop = Effect.asVoid(stopped.open)
  yield* Effect.addFinalizer(() => stop)
  return WorkspaceFeed.of({ open, stop })
})
