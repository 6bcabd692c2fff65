import type { Fleet, FleetNode, FleetProjection } from "@troupe/domain/api/Fleet"
import { timeOf } from "@troupe/domain/api/Page"
import { Clock, Effect } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { clusterName } from "../cluster/Cluster.ts"
import { NodeLock, nodeLocks } from "../cluster/NodeLock.ts"
import { shardsPerGroup } from "../cluster/shards.ts"
import { Horizon } from "../log/Horizon.ts"
import { touchedWithinSeconds } from "../runners/RunnerRegistry.ts"
import { queues } from "./queues.ts"

interface NodeRow {
  readonly id: string
  readonly address: string
  readonly release: string
  readonly startedMs: number
  readonly shards: number
  readonly runners: number
}

const nodes = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { nodeId } = yield* NodeLock
  // The only locks of the cluster's connections are those of shards.
  const found = yield* sql<NodeRow>`
    SELECT n.node_id AS id, n.address, n.release, (extract(epoch FROM n.registered_at) * 1000)::float8 AS "startedMs",
      (SELECT count(*)::int4 FROM pg_locks l JOIN pg_stat_activity a USING (pid)
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
          AND a.application_name = ${clusterName("")} || n.node_id) AS shards,
      (SELECT count(*)::int4 FROM runners r
        WHERE r.node = n.address AND r.last_seen_at > now() - ${touchedWithinSeconds} * interval '1 second') AS runners
    FROM nodes n
    WHERE n.lock_key IN (SELECT objid::bigint FROM pg_locks WHERE ${sql.literal(nodeLocks)})
    ORDER BY n.registered_at, n.address`
  return found.map(({ startedMs, ...row }): FleetNode => ({
    type: "fleet_node",
    ...row,
    started_at: timeOf(startedMs),
    answered: row.id === nodeId
  }))
})

const projections = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const now = yield* Clock.currentTimeMillis
  const found = yield* sql<{ name: string; version: number; live: boolean; waitsSince: number | null }>`
    SELECT p.name, p.version, p.live, (
        SELECT e.recorded_at::float8 FROM events e WHERE (e.xid, e.position) > (p.xid, p.position)
        ORDER BY e.xid, e.position LIMIT 1) AS "waitsSince"
    FROM projections p ORDER BY p.name, p.version`
  return found.map(({ waitsSince, ...row }): FleetProjection => ({
    ...row,
    lag_ms: waitsSince === null ? 0 : Math.max(0, Math.round(now - waitsSince / 1_000))
  }))
})

const sessions = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [found] = yield* sql<Fleet["sessions"]>`
    SELECT
      (SELECT count(*)::int4 FROM sessions WHERE status = 'running' AND deleted_at IS NULL) AS running,
      (SELECT count(*)::int4 FROM sessions WHERE status = 'rescheduling' AND deleted_at IS NULL) AS rescheduling,
      count(*) FILTER (WHERE i.kind = 'approval')::int4 AS approvals,
      count(*) FILTER (WHERE i.kind = 'question')::int4 AS questions
    FROM inbox i JOIN projections p ON p.name = 'inbox' AND p.live AND p.version = i.generation`
  return found!
})

const work = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [found] = yield* sql<Fleet["work"]>`
    SELECT count(*) FILTER (WHERE state = 'queued')::int4 AS queued,
      count(*) FILTER (WHERE state IN ('starting', 'active', 'stopping'))::int4 AS claimed,
      (extract(epoch FROM now() - min(created_at) FILTER (WHERE state = 'queued')) * 1000)::int4 AS oldest_queued_ms
    FROM work WHERE state <> 'stopped'`
  return found!
})

const runners = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [found] = yield* sql<Fleet["runners"]>`
    SELECT count(*)::int4 AS connected, count(*) FILTER (WHERE draining OR drained)::int4 AS draining,
      coalesce(sum(load_attempts), 0)::int4 AS attempts, coalesce(sum(load_sessions), 0)::int4 AS sessions
    FROM runners
    WHERE last_seen_at > now() - ${touchedWithinSeconds} * interval '1 second' AND node IN (
      SELECT address FROM nodes WHERE lock_key IN (SELECT objid::bigint FROM pg_locks WHERE ${sql.literal(nodeLocks)}))`
  return found!
})

/** How an installation stands, read from what its nodes leave in the database. */
export const fleet = Effect.fn("fleet")(function* () {
  const { ageMs } = yield* Horizon
  const living = yield* nodes
  const answer: Fleet = {
    type: "fleet",
    nodes: living,
    shards: { total: shardsPerGroup, owned: living.reduce((sum, { shards }) => sum + shards, 0) },
    log: { horizon_age_ms: yield* ageMs, projections: yield* projections },
    sessions: yield* sessions,
    queues: yield* queues(),
    work: yield* work,
    runners: yield* runners
  }
  return answer
})
