import type * as PgTypes from "@effect/sql-pg/PgTypes"
import type { Committed } from "@troupe/domain/log/EventCodec"
import { Effect, Option } from "effect"
import type { Protections } from "./AppendStatement.ts"
import { commandIdOf, eventColumns, eventFields, headColumns, streamIdOf, toHead, toRecorded } from "./EventRows.ts"
import { EventStore, type AnsweredCommand, pageBytesMax, type Receipt, StoreUnavailable } from "./EventStore.ts"
import type { Query } from "./LogConnections.ts"
import { uuidParameter, uuidsParameter } from "./LogTypes.ts"

type Row = ReadonlyArray<unknown>
type Store = EventStore["Service"]

/**
 * In the text and not a parameter: a plan made for any limit takes a tenth of the table to be wanted, and sorts all of it
 * rather than follow the index.
 */
const limited = (limit: number): string => `LIMIT ${Math.max(0, Math.trunc(limit))}`

/**
 * A page of events: at most `limit`, and no more once they come to the bytes of a page. The limit stands innermost, so that
 * the index is followed no further; what lies beyond the cut is not fetched from where large payloads are. All rows of a
 * page are held until its size is known, so only the `fields` that `columns` need are taken along.
 */
const paged = (
  { columns, fields }: { readonly columns: string; readonly fields: string },
  where: string,
  order: ReadonlyArray<string>,
  limit: number
): string => {
  // Qualified: an unqualified name in ORDER BY is the output column, which is text for some, and in another order.
  const by = order.map((column) => `e.${column}`).join(", ")
  const page = `SELECT ${fields}, payload_bytes FROM events e WHERE ${where} ORDER BY ${by} ${limited(limit)}`
  const before = `sum(coalesce(e.payload_bytes, 0)) OVER (ORDER BY ${by} ROWS UNBOUNDED PRECEDING) - coalesce(e.payload_bytes, 0)`
  return `SELECT ${columns} FROM (SELECT ${fields}, ${before} AS bytes_before FROM (${page}) e) e
    WHERE bytes_before < ${pageBytesMax} ORDER BY ${by}`
}

const events = { columns: eventColumns, fields: eventFields }
const placed = { columns: `${eventColumns}, xid::text, position::text`, fields: `${eventFields}, xid, position` }
const folded = {
  columns: "seq, type, version, payload::text, salt, commitment",
  fields: "seq, type, version, payload, salt, commitment"
}

const ofStreamAfter = "stream_id = $1::uuid AND seq > $2::int4"

/** All of the store but appending. An id that is none of ours names nothing. */
export const make = (ask: Query, protections: Protections): Omit<Store, "append"> => {
  const query = <A>(operation: string, sql: string, parameters: ReadonlyArray<unknown>, decode: (row: Row) => A) =>
    ask(sql, parameters).pipe(
      // A row that does not decode is the database's fault, like a database that does not answer.
      Effect.mapError((cause) => new StoreUnavailable({ operation, cause })),
      Effect.flatMap((rows) =>
        Effect.try({ try: () => rows.map(decode), catch: (cause) => new StoreUnavailable({ operation, cause }) })
      )
    )

  const first = <A>(rows: ReadonlyArray<A>) => Option.fromUndefinedOr(rows[0])

  const ofStream = <A>(
    streamId: string,
    absent: A,
    use: (uuid: PgTypes.Parameter) => Effect.Effect<A, StoreUnavailable>
  ) =>
    Effect.suspend(() => {
      const uuid = uuidParameter(streamId)
      return uuid === undefined ? Effect.succeed(absent) : use(uuid)
    })

  const head: Store["head"] = (streamId) =>
    ofStream(streamId, Option.none(), (uuid) =>
      Effect.map(query("head", `SELECT ${headColumns} FROM heads WHERE stream_id = $1::uuid`, [uuid], toHead), first)
    )

  const claim: Store["claim"] = (streamId) =>
    ofStream(streamId, Option.none(), (uuid) =>
      Effect.map(
        query(
          "claim",
          `UPDATE heads SET epoch = epoch + 1 WHERE stream_id = $1::uuid RETURNING ${headColumns}`,
          [uuid],
          toHead
        ),
        first
      )
    )

  const create: Store["create"] = ({ shard, stream, streamId, workspaceId }) =>
    query(
      "create",
      `INSERT INTO heads AS h (stream_id, workspace_id, kind, shard, epoch) VALUES ($1::uuid, $2::uuid, $3::int2, $4::int2, 1)
      ON CONFLICT (stream_id) DO UPDATE SET epoch = h.epoch + 1
      RETURNING ${headColumns}`,
      [uuidParameter(streamId), uuidParameter(workspaceId), stream === "session" ? 0 : 1, shard],
      toHead
    ).pipe(Effect.map((rows) => rows[0]!))

  const read: Store["read"] = (streamId, { after, limit }) =>
    ofStream(streamId, [], (uuid) =>
      query("read", paged(events, ofStreamAfter, ["seq"], limit), [uuid, after], toRecorded)
    )

  const readToFold: Store["readToFold"] = (streamId, { after, limit }) =>
    ofStream(streamId, [], (uuid) =>
      query("readToFold", paged(folded, ofStreamAfter, ["seq"], limit), [uuid, after], toCommitted(streamId))
    )

  // The snapshot comes as a row of its own, at the seq that no event has.
  const restore: Store["restore"] = (streamId, { foldVersion, limit }) =>
    ofStream(streamId, { snapshot: Option.none(), events: [] }, (uuid) =>
      Effect.map(
        query(
          "restore",
          `WITH stored AS MATERIALIZED (
            SELECT version, state FROM snapshots WHERE stream_id = $1::uuid AND fold_version = $2::int4
          )
          SELECT 0 AS seq, NULL::text AS type, version, state AS payload, NULL::bytea AS salt, NULL::bytea AS commitment
          FROM stored
          UNION ALL
          (${paged(folded, "stream_id = $1::uuid AND seq > coalesce((SELECT version FROM stored), 0)", ["seq"], limit)})`,
          [uuid, foldVersion],
          toCommitted(streamId)
        ),
        ([first, ...rest]) =>
          first?.seq === 0
            ? { snapshot: Option.some({ version: first.version, state: first.payload! }), events: rest }
            : { snapshot: Option.none(), events: first === undefined ? [] : [first, ...rest] }
      )
    )

  // Transactions get their ids before they commit, in no order: below the oldest that may still run, nothing changes.
  const horizon = protections.horizon ? "AND xid < pg_snapshot_xmin(pg_current_snapshot())" : ""
  const readAll: Store["readAll"] = ({ after, limit }) =>
    query(
      "readAll",
      paged(placed, `(xid, position) > ($1::xid8, $2::int8) ${horizon}`, ["xid", "position"], limit),
      [after.xid, after.position],
      (row) => ({ cursor: { xid: row[17] as string, position: row[18] as string }, event: toRecorded(row) })
    )

  const receipts: Store["receipts"] = (streamId, commandIds) =>
    commandIds.length === 0
      ? Effect.succeed([])
      : ofStream(streamId, [], (uuid) =>
          query(
            "receipts",
            `SELECT command_id, command_digest, seq, NULL::text FROM events
            WHERE stream_id = $1::uuid AND command_id = ANY($2::uuid[])
            UNION ALL
            SELECT command_id, digest, NULL, reason FROM rejections
            WHERE stream_id = $1::uuid AND command_id = ANY($2::uuid[])`,
            [uuid, uuidsParameter(commandIds)],
            toReceipt
          )
        )

  const commands: Store["commands"] = (streamId, { after, limit }) =>
    ofStream(streamId, [], (uuid) =>
      query(
        "commands",
        `SELECT command_id, digest, body, version, reason FROM (
          SELECT command_id, command_digest AS digest, command_body AS body, seq - 1 AS version, NULL AS reason, 1 AS accepted
          FROM events WHERE stream_id = $1::uuid AND seq > $2::int4 AND command_id IS NOT NULL
          UNION ALL
          SELECT command_id, digest, body, version, reason, 0 FROM rejections WHERE stream_id = $1::uuid AND version >= $2::int4
        ) answered
        WHERE (version, accepted, command_id) > ($2::int4, $3::int4, coalesce($4::uuid, '00000000-0000-0000-0000-000000000000'))
        ORDER BY version, accepted, command_id ${limited(limit)}`,
        after === null
          ? [uuid, -1, 0, null]
          : [uuid, after.version, after.rejection === null ? 1 : 0, uuidParameter(after.commandId)],
        toAnswered
      )
    )

  const due: Store["due"] = ({ after, limit, nowMs, shards }) =>
    query(
      "due",
      `SELECT kind, stream_id, wake_at::float8 FROM heads h
      WHERE shard = ANY($1::int2[]) AND wake_at <= $2::int8
        AND ($3::int8 IS NULL OR (wake_at, stream_id) > ($3::int8, $4::uuid))
      ORDER BY h.wake_at, h.stream_id ${limited(limit)}`,
      [shards, nowMs, after?.wakeAt ?? null, after === null ? null : uuidParameter(after.streamId)],
      (row) => ({ streamId: streamIdOf(row[0], row[1]), wakeAt: row[2] as number })
    )

  const versions: Store["versions"] = (streamIds) =>
    query(
      "versions",
      "SELECT kind, stream_id, version FROM heads WHERE stream_id = ANY($1::uuid[])",
      [uuidsParameter(streamIds)],
      (row) => [streamIdOf(row[0], row[1]), row[2] as number] as const
    ).pipe(Effect.map((rows) => new Map(rows)))

  const snapshot: Store["snapshot"] = (streamId, foldVersion) =>
    ofStream(streamId, Option.none(), (uuid) =>
      Effect.map(
        query(
          "snapshot",
          "SELECT version, state FROM snapshots WHERE stream_id = $1::uuid AND fold_version = $2::int4",
          [uuid, foldVersion],
          (row) => ({ version: row[0] as number, state: row[1] as string })
        ),
        first
      )
    )

  // Only while the stream is there, and kept there by the lock: a purge must not be followed by what it purged, nor a
  // redaction by what somebody had folded before it.
  const saveSnapshot: Store["saveSnapshot"] = ({ foldVersion, state, streamId, version }) =>
    ofStream(streamId, undefined, (uuid) =>
      query(
        "saveSnapshot",
        `WITH stream AS (
          SELECT stream_id FROM heads WHERE stream_id = $1::uuid FOR KEY SHARE
        ), outdated AS (
          DELETE FROM snapshots WHERE stream_id = $1::uuid AND fold_version < $2::int4 - 1
        )
        INSERT INTO snapshots AS s (stream_id, fold_version, version, state)
        SELECT stream_id, $2::int4, $3::int4, $4::text FROM stream
        WHERE NOT EXISTS (SELECT FROM redactions r WHERE r.stream_id = $1::uuid AND r.version >= $3::int4)
        ON CONFLICT (stream_id, fold_version) DO UPDATE SET version = excluded.version, state = excluded.state
        WHERE s.version <= excluded.version`,
        [uuid, foldVersion, version, state],
        () => undefined
      ).pipe(Effect.asVoid)
    )

  return {
    head,
    claim,
    create,
    read,
    readToFold,
    readAll,
    receipts,
    commands,
    due,
    versions,
    snapshot,
    saveSnapshot,
    restore
  }
}

const toCommitted =
  (streamId: string) =>
  (row: Row): Committed => ({
    streamId,
    seq: row[0] as number,
    type: row[1] as string,
    version: row[2] as number,
    payload: row[3] as string | null,
    salt: row[4] as string | null,
    commitment: row[5] as string
  })

const toReceipt = (row: Row): Receipt => {
  const commandId = commandIdOf(row[0])
  const digest = row[1] as string
  return row[2] === null
    ? { _tag: "Rejected", commandId, digest, reason: row[3] as string }
    : { _tag: "Accepted", commandId, digest, seq: row[2] as number }
}

const toAnswered = (row: Row): AnsweredCommand => ({
  commandId: commandIdOf(row[0]),
  digest: row[1] as string,
  body: row[2] as string | null,
  version: row[3] as number,
  rejection: row[4] as string | null
})
