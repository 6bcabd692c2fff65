import { codec as sessionCodec } from "@troupe/domain/session/Codec"
import { codec as workspaceCodec } from "@troupe/domain/workspace/WorkspaceEvent"
import { Clock, Context, Effect, Layer, Schema } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { nodeLocks } from "../cluster/NodeLock.ts"
import { lockExpirationMs } from "../cluster/shards.ts"

/** The newest format that this release reads. */
export const formatRead = Math.max(sessionCodec.format, workspaceCodec.format)

export interface LogFormatNow {
  /** The newest format that every node reads: what is written is of this one. */
  readonly current: () => number
}

/** In which format events are written. On its own, a process writes what it reads. */
export const LogFormat = Context.Reference<LogFormatNow>("server/LogFormat", {
  defaultValue: () => ({ current: () => formatRead })
})

/** A newer release wrote what this one can't read. */
export class LogTooNew extends Schema.TaggedError<LogTooNew>()("LogTooNew", {
  written: Schema.Int,
  read: Schema.Int
}) {
  override get message() {
    return `The log is written in format ${this.written}, and this release reads formats up to ${this.read}: start a release at least as new as the one that wrote it`
  }
}

export interface LogFormatOptions {
  readonly reads?: number
  /** For so long no node may be seen that reads less. One that is only between two connections is back before. */
  readonly settledMs?: number
}

const everyMs = 1_000
const living = `SELECT min(reads) FROM nodes WHERE lock_key IN (SELECT objid::bigint FROM pg_locks WHERE ${nodeLocks})`

/**
 * Keeps to the format that all nodes read, and raises it once those of an older release are gone. Nodes register under a
 * lock on the format's row, so none that reads less comes in between.
 */
export const layer = ({ reads = formatRead, settledMs = lockExpirationMs }: LogFormatOptions = {}): Layer.Layer<
  never,
  LogTooNew | SqlError,
  SqlClient.SqlClient
> =>
  Layer.effect(
    LogFormat,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const clock = yield* Clock.Clock
      const all = sql.literal(living)
      const formatOf = Effect.map((rows: ReadonlyArray<{ readonly format: number }>) => rows[0]!.format)

      const written = formatOf(sql<{ format: number }>`SELECT format FROM log_format`)
      const possible = formatOf(sql<{ format: number }>`SELECT least(${reads}::int4, (${all})) AS format`)
      const raise = sql.withTransaction(
        Effect.andThen(
          sql`SELECT FROM log_format FOR UPDATE`,
          formatOf(sql<{ format: number }>`
            UPDATE log_format SET format = greatest(format, least(${reads}::int4, (${all}))) RETURNING format`)
        )
      )

      let current = yield* written
      if (current > reads) return yield* new LogTooNew({ written: current, read: reads })
      let aloneSince: number | null = null

      const look = Effect.gen(function* () {
        const now = clock.currentTimeMillisUnsafe()
        if ((yield* possible) <= current) aloneSince = null
        else aloneSince ??= now
        if (aloneSince === null || now - aloneSince < settledMs) return
        current = Math.min(reads, yield* raise)
        aloneSince = null
        yield* Effect.logInfo(`Every node reads logs of format ${current}: it is written from now on`)
      })
      yield* look.pipe(
        Effect.catchCause((cause) =>
          Effect.logDebug("Whether the log's format may be raised could not be seen", cause)
        ),
        Effect.andThen(Effect.sleep(Math.min(everyMs, settledMs))),
        Effect.repeat({ while: () => current < reads }),
        Effect.forkScoped
      )
      return { current: () => current }
    })
  )
