import { Context, DateTime, Effect, Layer, Option, Schema } from "effect"
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { hostname } from "node:os"
import { dirname, join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { tellsOfFullDisk } from "./fullDisk.ts"
import { lives, nameProcess } from "./processes.ts"
import { ourName } from "../app/NameConfig.ts"

const Holder = Schema.fromJsonString(
  Schema.Struct({
    pid: Schema.Int,
    startTicks: Schema.optionalKey(Schema.String),
    host: Schema.String,
    since: Schema.String,
    url: Schema.optionalKey(Schema.String),
    /** Whether it serves already. */
    ready: Schema.optionalKey(Schema.Boolean)
  })
)
export type Holder = typeof Holder.Type

export class HomeLocked extends Schema.TaggedError<HomeLocked>()("HomeLocked", {
  home: Schema.String,
  pid: Schema.NullOr(Schema.Int),
  url: Schema.NullOr(Schema.String),
  since: Schema.NullOr(Schema.String)
}) {
  override get message() {
    const who = this.pid === null ? "another process" : `process ${this.pid}`
    const since = this.since === null ? "" : ` since ${this.since}`
    const where = this.url === null ? "" : `, at ${this.url}`
    return (
      `Troupe runs already in ${this.home}: ${who}${since}${where}.\n` +
      `Stop it with \`${ourName} stop\`, or set TROUPE_HOME to another directory.`
    )
  }
}

const remedies = [
  [/\bdisk\b/, "Make room there"],
  [/in the way/, "Move it away"],
  [/^/, "Make it writable for this user"]
] as const

export class HomeUnusable extends Schema.TaggedError<HomeUnusable>()("HomeUnusable", {
  home: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    const [, remedy] = remedies.find(([about]) => about.test(this.detail))!
    return `${this.home} can't be used: ${this.detail}.\n${remedy}, or set TROUPE_HOME to another directory.`
  }
}

/**
 * The exclusive use of a TROUPE_HOME. It is the write lock of an empty SQLite file, the same that a node takes which runs
 * its own Postgres: the kernel drops it however its holder dies. `lock.json` beside it is for people.
 */
export class Home extends Context.Service<
  Home,
  {
    readonly path: string
    /** Adds where we listen to what a second start is told. */
    readonly announce: (url: string, state?: "starting" | "ready") => Effect.Effect<void, HomeUnusable>
  }
>()("cli/Home") {
  static readonly layer = (path: string): Layer.Layer<Home, HomeLocked | HomeUnusable> =>
    Layer.effect(Home, acquire(path))
}

const acquire = Effect.fnUntraced(function* (path: string) {
  const since = DateTime.formatIso(yield* DateTime.now)
  const unusable = (cause: unknown) => new HomeUnusable({ home: path, detail: detailOf(cause) })
  const home = yield* Effect.try({ try: () => makeHome(path), catch: unusable })
  yield* Effect.acquireRelease(
    Effect.try({ try: () => lock(join(home, "lock")), catch: unusable }).pipe(
      Effect.flatMap((taken) => (taken === null ? lockedBy(home) : Effect.succeed(taken)))
    ),
    (database) =>
      Effect.sync(() => {
        rmSync(join(home, "lock.json"), { force: true })
        database.close()
      })
  )
  const { startTicks } = nameProcess(process.pid)
  const holder = { pid: process.pid, ...(startTicks === null ? {} : { startTicks }), host: hostname(), since }
  const sign = (signature: Holder) =>
    Effect.try({ try: () => replace(join(home, "lock.json"), encodeHolder(signature)), catch: unusable })
  yield* sign(holder)
  return Home.of({ path: home, announce: (url, state) => sign({ ...holder, url, ready: state === "ready" }) })
})

const encodeHolder = Schema.encodeSync(Holder)

/** Why something could not be done in a home. */
export const detailOf = (cause: unknown): string => {
  const { code, message } = cause as NodeJS.ErrnoException
  if (code === "EACCES" || code === "EPERM") return "this user may not write there"
  if (code === "EROFS") return "the file system is read-only"
  if (code === "ENOSPC" || tellsOfFullDisk(message)) return "the disk is full"
  if (code === "ENOTDIR" || code === "EEXIST") return "there is a file in the way"
  return message
}

/** Replaces a file whole, for its owner's eyes. */
export const replace = (file: string, content: string): void => {
  writeFileSync(`${file}.new`, content, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

/** Root's home lets other accounts pass through, and no more: Postgres and sandboxes then run as others. */
export const makeDirectory = (path: string, mode = process.getuid?.() === 0 ? 0o711 : 0o700): string => {
  if (!existsSync(path)) {
    if (dirname(path) !== path) makeDirectory(dirname(path), mode)
    mkdirSync(path, { mode })
  }
  return realpathSync(path)
}

/** Makes the directory where there is none, and throws where it can't be written to. */
export const makeHome = (path: string): string => {
  const home = makeDirectory(path)
  // As a directory, so that a file of this name is told as one.
  accessSync(`${home}/.`, constants.R_OK | constants.W_OK | constants.X_OK)
  return home
}

const busy = 5

const lock = (file: string): DatabaseSync | null => {
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    database.exec("BEGIN IMMEDIATE")
    return database
  } catch (cause) {
    database.close()
    if (cause instanceof Error && "errcode" in cause && cause.errcode === busy) return null
    throw cause
  }
}

const lockedBy = Effect.fnUntraced(function* (home: string) {
  // The winner may not have signed yet, and what is there may be the signature of one that was killed.
  for (let tries = 0; tries < 25; tries++) {
    const holder = holderOf(home)
    if (holder !== null) {
      const { pid, since, url = null } = holder
      return yield* new HomeLocked({ home, pid, since, url })
    }
    yield* Effect.sleep(20)
  }
  return yield* new HomeLocked({ home, pid: null, since: null, url: null })
})

/** Who holds the home now, by its signature; null where its writer is gone. */
export const holderOf = (home: string): Holder | null => {
  try {
    const holder = Option.getOrNull(decodeHolder(readFileSync(join(home, "lock.json"), "utf8")))
    if (holder === null || holder.host !== hostname()) return holder
    return lives({ pid: holder.pid, startTicks: holder.startTicks ?? null }) ? holder : null
  } catch {
    return null
  }
}

const decodeHolder = Schema.decodeUnknownOption(Holder)
