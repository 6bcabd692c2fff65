import { fromTime, prefixes, toUuid } from "@troupe/domain/Ids"
import { createHash } from "node:crypto"

type Query = (sql: string, params?: ReadonlyArray<unknown>) => Promise<unknown>

export interface ManySessions {
  /** The session that the others are copies of: its workspace, its agent and what it was opened with. */
  readonly like: string
  readonly count: number
}

const batch = 5_000
const firstAt = Date.UTC(2026, 0, 1)
const everyMs = 1_000

/** The columns of a table that may be written, but for those that a copy has of its own. */
const copied = (columns: ReadonlyArray<string>) => columns.map((name) => `l.${name}`).join(", ")

const eventColumns = [
  ...["seq", "recorded_at", "workspace_id", "causation_id", "correlation_id", "thread_id", "epoch", "kind", "version"],
  ...["type", "actor", "salt", "chain"]
]
const sessionColumns = [
  ...["workspace_id", "status_reason", "title", "agent_version", "origin", "created_by", "visibility", "metadata"],
  ...["updated_at"]
]

/**
 * Rows as many sessions would have left them: all like one that is there, a second apart, each with an id and an opening of
 * its own. Of a hundred, one runs, one is an end user's, one is of a rare agent, of an environment and of a project.
 */
export const manySessions = async (query: Query, { count, like }: ManySessions): Promise<void> => {
  const template = toUuid(like)!
  for (let from = 0; from < count; from += batch) {
    const made = Array.from({ length: Math.min(batch, count - from) }, (_, n) => {
      const at = firstAt + (from + n) * everyMs
      const id = fromTime(
        prefixes.Session,
        at,
        createHash("sha256")
          .update(`${from + n}`)
          .digest()
      )
      return { at, id, uuid: toUuid(id)!, n: from + n }
    })
    const rows = "unnest($2::uuid[], $3::text[], $4::bigint[], $5::int[]) AS m (uuid, id, at, n)"
    const params = [
      template,
      made.map(({ uuid }) => uuid),
      made.map(({ id }) => id),
      made.map(({ at }) => at),
      made.map(({ n }) => n)
    ]
    await query(
      `INSERT INTO heads (stream_id, kind, workspace_id, shard, version, epoch, chain, last_recorded_at)
       SELECT m.uuid, l.kind, l.workspace_id, l.shard, l.version, l.epoch, l.chain, l.last_recorded_at
       FROM heads l, ${rows} WHERE l.stream_id = $1 AND length(m.id) + m.at + m.n > 0`,
      params
    )
    await query(
      `INSERT INTO events (stream_id, event_id, payload, commitment, ${eventColumns.join(", ")})
       SELECT m.uuid, gen_random_uuid(), p.text::json, sha256(convert_to(encode(l.salt, 'hex') || p.text, 'UTF8')),
         ${copied(eventColumns)}
       FROM events l, ${rows}, LATERAL (SELECT replace(l.payload::text, $6, m.id) AS text) p
       WHERE l.stream_id = $1 AND m.at + m.n > 0`,
      [...params, like]
    )
    await query(
      `INSERT INTO sessions (session_id, created_at, status, agent_id, end_user, environment_id, project_id, deployment_id,
         ${sessionColumns.join(", ")})
       SELECT m.uuid, m.at, CASE WHEN m.n % 100 = 0 THEN 'running' ELSE 'idle' END,
         CASE WHEN m.n % 100 = 1 THEN $1 ELSE l.agent_id END,
         CASE WHEN m.n % 100 = 2 THEN 'somebody' END,
         CASE WHEN m.n % 100 = 3 THEN $1 ELSE l.environment_id END,
         CASE WHEN m.n % 100 = 4 THEN $1 END,
         CASE WHEN m.n % 100 = 5 THEN $1 END,
         ${copied(sessionColumns)}
       FROM sessions l, ${rows} WHERE l.session_id = $1 AND length(m.id) > 0`,
      params
    )
  }
  for (const table of ["heads", "events", "sessions"]) await query(`ANALYZE ${table}`)
}
