import { Effect, Schedule, type Scope } from "effect"
import { DatabaseSync } from "node:sqlite"
import { errorText } from "../journal/files.ts"
import { PreparationFailed } from "./PreparationFailed.ts"

/**
 * One file for each preparation, and the locks that SQLite takes on it, which the kernel drops however their holder dies.
 * `use` may be held by many, `prepare` by one of them, `remove` only by one alone.
 */
const statements = {
  use: ["BEGIN", "SELECT count(*) FROM sqlite_schema"],
  prepare: ["BEGIN IMMEDIATE"],
  remove: ["BEGIN EXCLUSIVE"]
} as const

const busy = 5

/** Null where somebody else is in the way. */
export const tryLock = (path: string, how: keyof typeof statements): DatabaseSync | null => {
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    for (const statement of statements[how]) database.exec(statement)
    return database
  } catch (cause) {
    database.close()
    if (cause instanceof Error && "errcode" in cause && (Number(cause.errcode) & 0xff) === busy) return null
    throw cause
  }
}

/** Waits for its turn, however long somebody else prepares, and holds the lock until the scope closes. */
export const lock = (path: string, how: "use" | "prepare"): Effect.Effect<void, PreparationFailed, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.try({
      try: () => tryLock(path, how),
      catch: (cause) =>
        new PreparationFailed({ step: "environment", reason: { _tag: "Storage", detail: errorText(cause) }, cause })
    }).pipe(
      Effect.repeat({ until: (database) => database !== null, schedule: Schedule.spaced("100 millis") }),
      Effect.map((database) => database as DatabaseSync)
    ),
    (database) => Effect.sync(() => database.close()),
    { interruptible: true }
  ).pipe(Effect.asVoid)
