import { Context, DateTime, Effect, Layer, Schema } from "effect"
import { readFileSync, realpathSync, rmSync, statSync } from "node:fs"
import { hostname } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { errorText, makeDirectories, writeWhole } from "../journal/files.ts"

const Holder = Schema.fromJsonString(
  Schema.Struct({ pid: Schema.Int, host: Schema.String, name: Schema.String, since: Schema.String })
)

export class StateLocked extends Schema.TaggedError<StateLocked>()("StateLocked", {
  state: Schema.String,
  holder: Schema.NullOr(
    Schema.Struct({ pid: Schema.Int, host: Schema.String, name: Schema.String, since: Schema.String })
  )
}) {
  override get message() {
    const { holder } = this
    const who =
      holder === null
        ? "another runner"
        : `runner ${holder.name}, process ${holder.pid} on ${holder.host} since ${holder.since}`
    return `${this.state} is in use by ${who}. Stop it, or give this one another directory with --state`
  }
}

export class StateUnusable extends Schema.TaggedError<StateUnusable>()("StateUnusable", {
  state: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.state} can't be a runner's state directory: ${this.detail}`
  }
}

const busy = 5

/**
 * The exclusive use of a state directory. It is the write lock of an empty SQLite file, which the kernel drops however its
 * holder dies, and which also keeps apart two containers that share a volume. `holder.json` is for people.
 */
export class StateLock extends Context.Service<StateLock, { readonly state: string }>()("runner/StateLock") {
  static readonly layer = (path: string, name: string): Layer.Layer<StateLock, StateLocked | StateUnusable> =>
    Layer.effect(StateLock, acquire(path, name))
}

const acquire = Effect.fnUntraced(function* (path: string, name: string) {
  const since = DateTime.formatIso(yield* DateTime.now)
  const unusable = (cause: unknown) => new StateUnusable({ state: path, detail: errorText(cause) })
  const state = yield* Effect.try({
    try: () => {
      makeDirectories(path)
      const state = realpathSync(path)
      refuseForeign(state)
      return state
    },
    catch: unusable
  })
  const signature = join(state, "holder.json")
  yield* Effect.acquireRelease(
    Effect.try({ try: () => lock(join(state, "lock")), catch: unusable }).pipe(
      Effect.flatMap((database) =>
        database === null
          ? Effect.fail(new StateLocked({ state, holder: readHolder(signature) }))
          : Effect.succeed(database)
      )
    ),
    (database) =>
      Effect.sync(() => {
        rmSync(signature, { force: true })
        database.close()
      })
  )
  const holder = Schema.encodeSync(Holder)({ pid: process.pid, host: hostname(), name, since })
  yield* Effect.try({ try: () => writeWhole(signature, holder), catch: unusable })
  return StateLock.of({ state })
})

/** What is in there says which directories sandboxes are made with: who can write it could be given any of this user's. */
const refuseForeign = (state: string): void => {
  const user = process.geteuid?.()
  if (user === undefined) return
  const { mode, uid } = statSync(state)
  if (uid !== user && uid !== 0) throw new Error(`it belongs to another account (${uid}), and this runner is ${user}`)
  if ((mode & 0o002) !== 0) throw new Error("every account may write there: chmod o-w it")
}

const lock = (path: string): DatabaseSync | null => {
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec("BEGIN IMMEDIATE")
    return database
  } catch (cause) {
    database.close()
    if (cause instanceof Error && "errcode" in cause && cause.errcode === busy) return null
    throw cause
  }
}

const readHolder = (path: string) => {
  try {
    return Schema.decodeUnknownSync(Holder)(readFileSync(path, "utf8"))
  } catch {
    return null
  }
}
