import { Effect } from "effect"
import * as SqlClient from "effect/sql/SqlClient"

/** What is about to be named by an event was wanted within this time. */
const graceMs = 24 * 3_600_000
/** As long as a node may take for a workspace before another one tries. */
const claimMs = 3_600_000
const atOnce = 5_000

/** Has a workspace swept once what it may name no more was not wanted for long. One sweep too many does no harm. */
export const sweepLater = Effect.fnUntraced(function* (workspace: string, now: number) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    INSERT INTO blob_sweeps (workspace_id, purged_at, due_at) VALUES (${workspace}, ${now}, ${now})
    ON CONFLICT (workspace_id) DO UPDATE SET purged_at = excluded.purged_at`
})

interface Claimed {
  readonly workspace: string
  readonly purgedAt: number
}

/** A workspace whose time has come, for this node alone. */
const claim = Effect.fnUntraced(function* (now: number) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<Claimed>`
    UPDATE blob_sweeps SET due_at = ${now + claimMs}
    WHERE workspace_id = (
      SELECT workspace_id FROM blob_sweeps WHERE due_at <= ${now} ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING workspace_id AS workspace, purged_at::float8 AS "purgedAt"`
  return row
})

/**
 * Blobs that nothing in the workspace's logs names: no event, no command, and no checkpoint that one of them names, whose
 * manifest names lists of files, which name their pieces. It may take long, so it is read apart from what is written.
 */
const unnamed = Effect.fnUntraced(function* (workspace: string, before: Date) {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<{ readonly sha256: Uint8Array }>`
    WITH roots AS MATERIALIZED (
      SELECT DISTINCT decode(found[1], 'hex') AS sha256 FROM (
        SELECT regexp_matches(concat_ws(' ', e.payload::text, e.command_body), '[0-9a-f]{64}', 'g') AS found
        FROM events e WHERE e.workspace_id = ${workspace}
        UNION ALL
        SELECT regexp_matches(r.body, '[0-9a-f]{64}', 'g')
        FROM rejections r JOIN heads h USING (stream_id) WHERE h.workspace_id = ${workspace}
      ) names
    ), lists AS MATERIALIZED (
      SELECT DISTINCT decode(found[1], 'hex') AS sha256
      FROM roots JOIN blobs b USING (sha256), regexp_matches(encode(b.bytes, 'escape'), '[0-9a-f]{64}', 'g') AS found
      WHERE b.workspace_id = ${workspace} AND substring(b.bytes FOR 2) = '{"'::bytea
        AND position('"troupe-tree/'::bytea IN b.bytes) > 0
    ), pieces AS MATERIALIZED (
      SELECT DISTINCT decode(found[1], 'hex') AS sha256
      FROM lists JOIN blobs b USING (sha256), regexp_matches(encode(b.bytes, 'escape'), '[0-9a-f]{64}', 'g') AS found
      WHERE b.workspace_id = ${workspace}
    )
    SELECT b.sha256 FROM blobs b
    WHERE b.workspace_id = ${workspace} AND b.wanted_at < ${before}
      AND NOT EXISTS (SELECT FROM roots n WHERE n.sha256 = b.sha256)
      AND NOT EXISTS (SELECT FROM lists n WHERE n.sha256 = b.sha256)
      AND NOT EXISTS (SELECT FROM pieces n WHERE n.sha256 = b.sha256)
    LIMIT ${sql.literal(String(atOnce))}`
})

/** Removes what nothing names in workspaces of which sessions were purged, or redacted. Answers how much there was. */
export const sweepBlobs = Effect.fn("BlobSweep.sweepBlobs")(function* (now: number) {
  const sql = yield* SqlClient.SqlClient
  const before = new Date(now - graceMs)
  let swept = 0
  while (true) {
    const claimed = yield* claim(now)
    if (claimed === undefined) return swept
    const { purgedAt, workspace } = claimed
    const names = yield* unnamed(workspace, before)
    const [row] = yield* sql<{ readonly gone: number }>`
      SELECT troupe_drop_blobs(${workspace}, ${names.map(({ sha256 }) => sha256)}::bytea[], ${before}) AS gone`
    swept += row!.gone
    // What was wanted shortly before the purge is looked at again when it was not for long.
    const over = names.length < atOnce && purgedAt < now - 2 * graceMs
    if (over) yield* sql`DELETE FROM blob_sweeps WHERE workspace_id = ${workspace} AND purged_at = ${purgedAt}`
    else {
      const dueAt = names.length < atOnce ? now + graceMs : now + 1
      yield* sql`UPDATE blob_sweeps SET due_at = ${dueAt} WHERE workspace_id = ${workspace}`
    }
  }
})
