import type { Database } from "../../harness/Database.ts"
import { payloadOf } from "../../harness/payload.ts"

/** Sessions of each slot, so that no two operations under way share one. */
export const sessionsPerSlot = 8
const slotsMax = 256

const uuid = (kind: string) => `('00000000-0000-7000-${kind}-' || lpad(:s::text, 12, '0'))::uuid`
const hash = "ab".repeat(32)

/** Heads for pgbench to append to. */
export const fillRows = (database: Database) =>
  database.query(
    `INSERT INTO heads (stream_id, kind, workspace_id, shard, epoch)
     SELECT ('00000000-0000-7000-8000-' || lpad(s::text, 12, '0'))::uuid, 0,
            '00000000-0000-7000-9000-000000000001', s % 300 + 1, 1
     FROM generate_series(0, ${slotsMax * sessionsPerSlot - 1}) s`
  )

/**
 * The rows that our append writes, as one hand-written statement: the head moves on, the event goes in with its receipt,
 * three indexes follow. What we compute (ids, hashes, the digest) is constant or the server's own here.
 */
export const rowsScript = `\\set s :client_id + ${slotsMax} * random(0, ${sessionsPerSlot - 1})
WITH head AS (
  UPDATE heads
  SET version = version + 1, chain = :hash::text::bytea, last_recorded_at = last_recorded_at + 1, wake_at = NULL
  WHERE stream_id = ${uuid("8000")} AND epoch = 1
  RETURNING stream_id, workspace_id, version
)
INSERT INTO events (stream_id, seq, recorded_at, event_id, workspace_id, causation_id, correlation_id, thread_id, epoch,
  kind, version, type, actor, salt, commitment, chain, command_id, command_digest, command_body, payload)
SELECT stream_id, version, 1795000000000000 + version, uuidv7(), workspace_id, uuidv7(), ${uuid("a000")}, ${uuid("b000")}, 1,
  0, 1, 'SystemMessageReceived', :actor, '\\xabababababababababababababababab'::bytea, :hash::text::bytea, :hash::text::bytea,
  uuidv7(), :hash::text::bytea, :body, :payload::json
FROM head;
`

export const rowsVariables = {
  hash: `\\x${hash}`,
  actor: JSON.stringify({ type: "api_key", id: "apikey_0123456789abcdef" }),
  body: JSON.stringify({ _tag: "Send", inputs: [{ _tag: "SystemMessage", $event: 0 }] }),
  payload: payloadOf("rows")
}
