import { type ApiFailure, conflict, notFound } from "@troupe/domain/api/ApiError"
import { patched, tooManyPairs } from "@troupe/domain/api/Common"
import type { Heartbeat, Work, WorkStats } from "@troupe/domain/api/Work"
import { type EnvironmentId, toUuid, type WorkId, type WorkspaceId } from "@troupe/domain/Ids"
import { Clock, Context, Effect, Layer, Redacted } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Place } from "../gateway/places.ts"
import { Caller } from "../gateway/Requests.ts"
import { Minting } from "../log/Minting.ts"
import { type ParentRevoked, Tokens } from "../runners/Tokens.ts"
import { Sessions } from "../session/Sessions.ts"
import { type Beat, beatRefused, holderOf, isHeldByOthers, isOwnStop, LeaseTimes, stopRefused } from "./Leases.ts"
import { lookForWork } from "./lookForWork.ts"
import { endClaims, settleClaims } from "./settleClaims.ts"
import { columns, sessionOf, workIdOf, workOut, type WorkRow } from "./WorkRows.ts"

type Failure = ApiFailure | SqlError

interface Named {
  readonly workspaceId: WorkspaceId
  readonly environmentId: EnvironmentId
  readonly workId: WorkId
}

/** The work of self-hosted environments: which session waits for a worker, and which worker has it. */
export class WorkQueue extends Context.Service<
  WorkQueue,
  {
    /** The next work, with what opens its session; null where there is none. It stays queued until it is acknowledged. */
    readonly poll: (
      environmentId: EnvironmentId,
      options: { readonly reclaimMs: number; readonly worker: string | null }
    ) => Effect.Effect<Work | null, ParentRevoked | SqlError, Caller>
    readonly ack: (named: Named) => Effect.Effect<Work, Failure>
    readonly heartbeat: (named: Named, beat: Beat) => Effect.Effect<typeof Heartbeat.Type, Failure, Caller>
    /** At once, or by asking the worker to. What it leaves open is said to be of unknown outcome. */
    readonly stop: (named: Named, force: boolean) => Effect.Effect<Work, Failure, Caller>
    readonly find: (named: Named) => Effect.Effect<Work, Failure>
    readonly update: (named: Named, metadata: Readonly<Record<string, string | null>>) => Effect.Effect<Work, Failure>
    readonly list: (
      workspaceId: WorkspaceId,
      environmentId: EnvironmentId,
      options: { readonly after: Place | null; readonly limit: number }
    ) => Effect.Effect<ReadonlyArray<Work>, SqlError>
    readonly stats: (
      workspaceId: WorkspaceId,
      environmentId: EnvironmentId
    ) => Effect.Effect<typeof WorkStats.Type, SqlError>
    /** Whether this token's claim is one still: results of a claim that is over belong to nobody. */
    readonly isHeld: (workId: WorkId, caller: Caller["Service"]) => Effect.Effect<boolean, SqlError>
  }
>()("server/WorkQueue") {
  static readonly layer: Layer.Layer<WorkQueue, never, SqlClient.SqlClient | Minting | Tokens | Sessions> =
    Layer.effect(
      WorkQueue,
      Effect.suspend(() => make)
    )
}

const dayMs = 86_400_000
const secretOf = (token: Redacted.Redacted): string =>
  Buffer.from(JSON.stringify({ sessions_token: Redacted.value(token) })).toString("base64url")

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const tokens = yield* Tokens
  const { lookEveryMs, ttlSeconds } = yield* LeaseTimes
  const context = yield* Effect.context<SqlClient.SqlClient | Minting | Sessions>()
  const all = sql.literal(columns)
  const lookedAt = new Map<string, number>()

  const look = Effect.fnUntraced(function* (workspaceId: WorkspaceId, environmentId: EnvironmentId) {
    const now = yield* Clock.currentTimeMillis
    if (now - (lookedAt.get(environmentId) ?? 0) < lookEveryMs) return
    lookedAt.set(environmentId, now)
    yield* endClaims
    yield* settleClaims(environmentId)
    yield* lookForWork(workspaceId, environmentId)
  }, Effect.provideContext(context))

  const seen = (environmentId: EnvironmentId, worker: string) => sql`
    INSERT INTO work_pollers (environment_id, worker, seen_at)
    VALUES (${toUuid(environmentId)!}, ${worker}, now())
    ON CONFLICT (environment_id, worker) DO UPDATE SET seen_at = now()`

  /** The next one that nobody has, or that somebody has had for so long without a word. */
  const take = (environmentId: EnvironmentId, reclaimMs: number) => sql<WorkRow>`
    UPDATE work w SET polled_at = now()
    WHERE w.work_id = (
      SELECT q.work_id FROM work q JOIN sessions s ON s.session_id = q.session_id
      WHERE q.environment_id = ${toUuid(environmentId)!} AND q.state = 'queued' AND q.settled
        AND (q.polled_at IS NULL OR q.polled_at < now() - ${reclaimMs} * interval '1 millisecond')
        AND s.archived_at IS NULL AND s.deleted_at IS NULL AND s.status <> 'terminated'
      ORDER BY q.created_at, q.work_id LIMIT 1 FOR UPDATE OF q SKIP LOCKED)
    RETURNING ${all}`

  const poll: WorkQueue["Service"]["poll"] = Effect.fn("WorkQueue.poll")(function* (environmentId, options) {
    const { actor, tokenId, workspaceId } = yield* Caller
    if (options.worker !== null) yield* seen(environmentId, options.worker)
    yield* look(workspaceId, environmentId)
    const now = yield* Clock.currentTimeMillis
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        const [row] = yield* take(environmentId, options.reclaimMs)
        if (row === undefined) return null
        const workId = workIdOf(row)
        const bound = { type: "session", session_id: sessionOf(row), work_id: workId } as const
        const { secret } = yield* tokens.derive(
          {
            ...{ workspaceId, kind: "worker", name: workId, labels: [], scopes: ["read", "write"], bound },
            ...{ parentId: tokenId, expiresAt: now + dayMs }
          },
          actor
        )
        return workOut(row, secretOf(secret))
      })
    )
  })

  const read = Effect.fnUntraced(function* ({ environmentId, workId, workspaceId }: Named, lock: "" | "FOR UPDATE") {
    const [row] = yield* sql<WorkRow>`
      SELECT ${all} FROM work w
      WHERE w.work_id = ${toUuid(workId)!} AND w.environment_id = ${toUuid(environmentId)!}
        AND w.workspace_id = ${toUuid(workspaceId)!} ${sql.literal(lock)}`
    return row ?? (yield* notFound(`Work ${workId} was not found.`))
  })

  /** The row, which nobody else changes before the transaction ends. */
  const hold = (named: Named) => read(named, "FOR UPDATE")

  const find: WorkQueue["Service"]["find"] = Effect.fn("WorkQueue.find")(function* (named) {
    return workOut(yield* read(named, ""))
  })

  const ack: WorkQueue["Service"]["ack"] = Effect.fn("WorkQueue.ack")(function* (named) {
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        const { settled, state } = yield* hold(named)
        if (state !== "queued" || !settled) return yield* conflict(`The work is ${state}: somebody has it already`)
        const [row] = yield* sql<WorkRow>`
          UPDATE work w SET state = 'starting', acknowledged_at = now(), ttl_seconds = ${ttlSeconds},
            lease_until = now() + ${ttlSeconds} * interval '1 second'
          WHERE w.work_id = ${toUuid(named.workId)!} RETURNING ${all}`
        return workOut(row!)
      })
    )
  })

  const heartbeat: WorkQueue["Service"]["heartbeat"] = Effect.fn("WorkQueue.heartbeat")(function* (named, beat) {
    const caller = yield* Caller
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        const before = yield* hold(named)
        const refused = beatRefused(before, beat, caller)
        if (refused !== null) return yield* refused
        const extended = before.state !== "stopped"
        const ttl = beat.desiredTtlSeconds ?? ttlSeconds
        const [after] = extended
          ? yield* sql<WorkRow>`
              UPDATE work w SET state = CASE WHEN state = 'starting' THEN 'active' ELSE state END,
                started_at = coalesce(started_at, now()), holder = ${holderOf(caller)}, heartbeat_before = heartbeat_at,
                heartbeat_at = greatest(clock_timestamp(), heartbeat_at + interval '1 microsecond'),
                ttl_seconds = ${ttl}, lease_until = now() + ${ttl} * interval '1 second'
              WHERE w.work_id = ${toUuid(named.workId)!} RETURNING ${all}`
          : [before]
        return {
          type: "work_heartbeat" as const,
          last_heartbeat: after!.heartbeatAt ?? "",
          lease_extended: extended,
          state: after!.state,
          ttl_seconds: after!.ttlSeconds
        }
      })
    )
  })

  const stop: WorkQueue["Service"]["stop"] = Effect.fn("WorkQueue.stop")(function* (named, force) {
    const caller = yield* Caller
    const row = yield* sql.withTransaction(
      Effect.gen(function* () {
        const before = yield* hold(named)
        const refused = stopRefused(before, caller)
        if (refused !== null) return yield* refused
        const ends = force || before.state === "queued" || isOwnStop(before, caller)
        // What was never claimed has left nothing open.
        const settled = before.state === "queued" && before.settled
        const [after] = ends
          ? yield* sql<WorkRow>`
              UPDATE work w SET state = 'stopped', stop_requested_at = coalesce(stop_requested_at, now()),
                stopped_at = now(), lease_until = NULL, settled = ${settled}
              WHERE w.work_id = ${toUuid(named.workId)!} RETURNING ${all}`
          : yield* sql<WorkRow>`
              UPDATE work w SET state = 'stopping', stop_requested_at = coalesce(stop_requested_at, now())
              WHERE w.work_id = ${toUuid(named.workId)!} RETURNING ${all}`
        return after!
      })
    )
    if (row.state === "stopped") {
      yield* expire(row)
      yield* Effect.provideContext(settleClaims(named.environmentId), context)
    }
    return workOut(row)
  })

  /** What opened the session for this work opens it no longer, once whoever had it could hear that it is over. */
  const expire = ({ holder }: WorkRow) => sql`
    UPDATE tokens SET expires_at = least(expires_at, now() + interval '10 minutes')
    WHERE token_id = ${holder} AND kind = 'worker'`

  const update: WorkQueue["Service"]["update"] = Effect.fn("WorkQueue.update")(function* (named, metadata) {
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        const before = yield* hold(named)
        const after = patched(before.metadata, metadata)
        const tooMany = tooManyPairs(after)
        if (tooMany !== undefined) return yield* tooMany
        const [row] = yield* sql<WorkRow>`
          UPDATE work w SET metadata = ${JSON.stringify(after)}::jsonb
          WHERE w.work_id = ${toUuid(named.workId)!} RETURNING ${all}`
        return workOut(row!)
      })
    )
  })

  const list: WorkQueue["Service"]["list"] = Effect.fn("WorkQueue.list")(function* (
    workspaceId,
    environmentId,
    { after, limit }
  ) {
    yield* look(workspaceId, environmentId)
    const beyond =
      after === null
        ? sql`true`
        : sql`(date_trunc('milliseconds', w.created_at), w.work_id)
            < (to_timestamp(${after.createdAt}::float8 / 1000), ${toUuid(after.id) ?? null}::uuid)`
    const rows = yield* sql<WorkRow>`
      SELECT ${all} FROM work w
      WHERE w.environment_id = ${toUuid(environmentId)!} AND w.workspace_id = ${toUuid(workspaceId)!} AND ${beyond}
      ORDER BY date_trunc('milliseconds', w.created_at) DESC, w.work_id DESC LIMIT ${limit}`
    return rows.map((row) => workOut(row))
  })

  const stats: WorkQueue["Service"]["stats"] = Effect.fn("WorkQueue.stats")(function* (workspaceId, environmentId) {
    yield* look(workspaceId, environmentId)
    const [found] = yield* sql<{ depth: number; pending: number; oldest: string | null; polling: number }>`
      SELECT count(*) FILTER (WHERE polled_at IS NULL)::int4 AS depth,
        count(*) FILTER (WHERE polled_at IS NOT NULL)::int4 AS pending,
        to_char(min(created_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS oldest,
        (SELECT count(*)::int4 FROM work_pollers p
          WHERE p.environment_id = ${toUuid(environmentId)!} AND p.seen_at > now() - interval '30 seconds') AS polling
      FROM work WHERE environment_id = ${toUuid(environmentId)!} AND workspace_id = ${toUuid(workspaceId)!}
        AND state = 'queued'`
    const { depth, oldest, pending, polling } = found!
    return { type: "work_queue_stats" as const, depth, pending, oldest_queued_at: oldest, workers_polling: polling }
  })

  const isHeld: WorkQueue["Service"]["isHeld"] = Effect.fn("WorkQueue.isHeld")(function* (workId, caller) {
    const [row] = yield* sql<WorkRow>`SELECT ${all} FROM work w WHERE w.work_id = ${toUuid(workId)!}`
    const claimed = row?.state === "starting" || row?.state === "active" || row?.state === "stopping"
    return row !== undefined && claimed && !isHeldByOthers(row, caller)
  })

  return WorkQueue.of({ poll, ack, heartbeat, stop, find, update, list, stats, isHeld })
})
