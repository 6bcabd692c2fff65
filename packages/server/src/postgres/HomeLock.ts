import { Clock, Context, DateTime, Effect, Layer, Option, Result, Schema, type Scope } from "effect"
import { readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { hostname } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { makeDirectories } from "./files.ts"
import { startTicks } from "./ProcessInfo.ts"

const Holder = Schema.fromJsonString(
  Schema.Struct({
    pid: Schema.Int,
    startTicks: Schema.optionalKey(Schema.String),
    host: Schema.String,
    since: Schema.String,
    url: Schema.optionalKey(Schema.String)
  })
)
type Holder = typeof Holder.Type

export class HomeLocked extends Schema.TaggedError<HomeLocked>()("HomeLocked", {
  home: Schema.String,
  pid: Schema.optionalKey(Schema.Int),
  host: Schema.optionalKey(Schema.String),
  since: Schema.optionalKey(Schema.String),
  url: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    const who = this.pid === undefined ? "another process" : `process ${this.pid}`
    const where = this.host === undefined ? "" : ` on ${this.host}`
    const since = this.since === undefined ? "" : ` since ${this.since}`
    const url = this.url === undefined ? "" : `, which serves ${this.url}`
    return `${this.home} is in use by ${who}${where}${since}${url}. Stop it, or set TROUPE_HOME to another directory`
  }
}

export class HomeUnusable extends Schema.TaggedError<HomeUnusable>()("HomeUnusable", {
  home: Schema.String,
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `Cannot use ${this.home} as TROUPE_HOME: ${this.cause instanceof Error ? this.cause.message : this.cause}`
  }
}

/**
 * The exclusive use of a TROUPE_HOME.
 *
 * The lock is the write lock of an empty SQLite file: the one lock of the operating system that JavaScript reaches
 * everywhere without a native addon. The kernel drops it when its holder dies, however it dies, so no lock is ever
 * stale, and it also keeps apart two containers that share a volume, where process numbers and abstract sockets say
 * nothing. `lock.json` beside it is for people: it says who holds the lock, and decides nothing.
 *
 * A trap: locks of this kind are lost when the holding process opens and closes the same file by other means. Nothing
 * in the supervisor may read `TROUPE_HOME/lock`.
 */
export class HomeLock extends Context.Service<
  HomeLock,
  {
    /** The home, with symbolic links resolved. */
    readonly home: string
    /** Adds where we listen to what a second start is told. */
    readonly announce: (url: string) => Effect.Effect<void>
  }
>()("server/HomeLock") {
  static readonly layer = (home: string): Layer.Layer<HomeLock, HomeLocked | HomeUnusable> =>
    Layer.effect(HomeLock, acquire(home))

  /** Whoever started this process holds the lock, for as long as it works here. */
  static readonly layerHeld = (home: string): Layer.Layer<HomeLock, HomeUnusable> =>
    Layer.effect(
      HomeLock,
      Effect.try({
        try: () => HomeLock.of({ home: realpathSync(home), announce: () => Effect.void }),
        catch: (cause) => new HomeUnusable({ home, cause })
      })
    )

  /** Waits for the present holder to finish; for short-lived users of one home, such as tests. */
  static readonly layerWait = (home: string, waitMs: number): Layer.Layer<HomeLock, HomeLocked | HomeUnusable> =>
    Layer.effect(HomeLock, acquireWithin(home, waitMs))
}

const acquire = Effect.fn("HomeLock.acquire")(function* (
  path: string
): Effect.fn.Return<HomeLock["Service"], HomeLocked | HomeUnusable, Scope.Scope> {
  const home = yield* Effect.try({
    try: () => makeHome(path),
    catch: (cause) => new HomeUnusable({ home: path, cause })
  })
  yield* Effect.acquireRelease(lock(home), (database) =>
    Effect.sync(() => {
      rmSync(join(home, "lock.json"), { force: true })
      database.close()
    })
  )
  const ticks = startTicks(process.pid)
  const holder: Holder = {
    pid: process.pid,
    ...(ticks === undefined ? {} : { startTicks: ticks }),
    host: hostname(),
    since: DateTime.formatIso(yield* DateTime.now)
  }
  const announce = (holder: Holder) =>
    Effect.try({
      try: () => {
        const file = join(home, "lock.json")
        writeFileSync(`${file}.new`, Schema.encodeSync(Holder)(holder), { mode: 0o600 })
        renameSync(`${file}.new`, file)
      },
      catch: (cause) => new HomeUnusable({ home, cause })
    })
  yield* announce(holder)
  return HomeLock.of({ home, announce: (url) => Effect.orDie(announce({ ...holder, url })) })
})

const acquireWithin = Effect.fnUntraced(function* (home: string, waitMs: number) {
  const deadline = (yield* Clock.currentTimeMillis) + waitMs
  while (true) {
    const attempt = yield* Effect.result(acquire(home))
    if (Result.isSuccess(attempt)) return attempt.success
    if (attempt.failure._tag === "HomeUnusable" || (yield* Clock.currentTimeMillis) > deadline) {
      return yield* attempt.failure
    }
    yield* Effect.sleep(20)
  }
})

// Root's home lets others pass through, and no more: Postgres then runs as another account and keeps its data below.
const makeHome = (path: string): string => {
  makeDirectories(path, process.getuid?.() === 0 ? 0o711 : 0o700)
  return realpathSync(path)
}

const sqliteBusy = 5

const lock = Effect.fnUntraced(function* (home: string) {
  const attempt = yield* Effect.try({
    try: () => {
      const database = new DatabaseSync(join(home, "lock"), { timeout: 0 })
      try {
        // Only one connection can reserve the right to write, and it is decided at once: there is no round in which
        // two contenders turn each other away. Nothing is ever written.
        database.exec("BEGIN IMMEDIATE")
        return Option.some(database)
      } catch (cause) {
        database.close()
        if (cause instanceof Error && "errcode" in cause && cause.errcode === sqliteBusy) return Option.none()
        throw cause
      }
    },
    catch: (cause) => new HomeUnusable({ home, cause })
  })
  if (Option.isSome(attempt)) return attempt.value
  const holder = yield* findHolder(home)
  return yield* new HomeLocked({ home, ...Option.match(holder, { onNone: () => ({}), onSome: publicFields }) })
})

const publicFields = ({ host, pid, since, url }: Holder) => ({
  pid,
  since,
  ...(host === hostname() ? {} : { host }),
  ...(url === undefined ? {} : { url })
})

// The winner may not have signed yet, and what is there may be the signature of one that was killed.
const findHolder = Effect.fnUntraced(function* (home: string) {
  for (let attempt = 0; attempt < 25; attempt++) {
    const holder = readHolder(home)
    if (Option.isSome(holder) && isCurrent(holder.value)) return holder
    yield* Effect.sleep(10)
  }
  return Option.none<Holder>()
})

const readHolder = (home: string): Option.Option<Holder> => {
  try {
    return Schema.decodeUnknownOption(Holder)(readFileSync(join(home, "lock.json"), "utf8"))
  } catch {
    return Option.none()
  }
}

const isCurrent = ({ host, pid, startTicks: ticks }: Holder): boolean =>
  host !== hostname() || ticks === undefined || startTicks(pid) === ticks
