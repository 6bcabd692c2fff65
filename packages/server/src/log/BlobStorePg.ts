import { toUuid } from "@troupe/domain/Ids"
import { Effect, Layer, Option } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { BlobStore, nameOf, verified } from "./BlobStore.ts"
import { StoreUnavailable } from "./EventStore.ts"

/** A row larger than 16 MiB would end the connection. */
const pieceBytes = 8 * 1_048_576

const sha256Pattern = /^[0-9a-f]{64}$/

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  /** What was wanted within this time need not be told so again. */
  const fresh = sql.literal("interval '1 hour'")

  const unavailable = (operation: string) => (cause: SqlError) => new StoreUnavailable({ operation, cause })

  const put: BlobStore["Service"]["put"] = Effect.fn("BlobStore.put")(function* (workspaceId, bytes, mediaType) {
    const sha256 = yield* nameOf(bytes)
    const name = Buffer.from(sha256, "hex")
    yield* sql`
      INSERT INTO blobs (workspace_id, sha256, media_type, size, bytes)
      VALUES (${toUuid(workspaceId)}, ${name}, ${mediaType}, ${bytes.length}, ${bytes})
      ON CONFLICT (workspace_id, sha256) DO UPDATE SET wanted_at = now()
      WHERE blobs.wanted_at < now() - ${fresh}`.pipe(Effect.mapError(unavailable("put a blob")))
    return sha256
  })

  const piece = (workspace: string, name: Uint8Array, from: number) =>
    sql<{ readonly bytes: Uint8Array }>`
      SELECT substring(bytes FROM ${from + 1} FOR ${pieceBytes}) AS bytes
      FROM blobs WHERE workspace_id = ${workspace} AND sha256 = ${name}`

  const load = Effect.fnUntraced(function* (workspace: string, sha256: string) {
    const name = Buffer.from(sha256, "hex")
    const [row] = yield* sql<{ readonly mediaType: string; readonly size: number }>`
      SELECT media_type AS "mediaType", size::float8 AS size
      FROM blobs WHERE workspace_id = ${workspace} AND sha256 = ${name}`
    if (row === undefined) return Option.none()
    const pieces: Array<Uint8Array> = []
    for (let from = 0; from < row.size; from += pieceBytes) {
      const [part] = yield* piece(workspace, name, from)
      if (part === undefined) return Option.none()
      pieces.push(part.bytes)
    }
    return Option.some({ bytes: new Uint8Array(Buffer.concat(pieces)), mediaType: row.mediaType })
  })

  const get: BlobStore["Service"]["get"] = Effect.fn("BlobStore.get")(function* (workspaceId, sha256) {
    const workspace = toUuid(workspaceId)
    if (workspace === undefined || !sha256Pattern.test(sha256)) return Option.none()
    const found = yield* load(workspace, sha256).pipe(Effect.mapError(unavailable("get a blob")))
    return Option.isNone(found) ? found : Option.some(yield* verified(found.value, sha256))
  })

  const missing: BlobStore["Service"]["missing"] = Effect.fn("BlobStore.missing")(function* (workspaceId, names) {
    const wanted = [...new Set(names)]
    const possible = wanted.filter((name) => sha256Pattern.test(name))
    const asked = sql`
      workspace_id = ${toUuid(workspaceId)}
        AND sha256 IN (SELECT decode(name, 'hex') FROM unnest(${possible}::text[]) AS wanted (name))`
    // Whoever is told that one is here names it next: it is kept for that long.
    const rows = yield* sql<{ readonly name: string }>`
      WITH kept AS (
        UPDATE blobs SET wanted_at = now() WHERE ${asked} AND wanted_at < now() - ${fresh} RETURNING sha256
      )
      SELECT encode(sha256, 'hex') AS name FROM kept
      UNION ALL
      SELECT encode(sha256, 'hex') FROM blobs WHERE ${asked} AND wanted_at >= now() - ${fresh}`.pipe(
      Effect.mapError(unavailable("look for blobs"))
    )
    const stored = new Set(rows.map(({ name }) => name))
    return wanted.filter((name) => !stored.has(name))
  })

  return BlobStore.of({ put, get, missing })
})

export const layer: Layer.Layer<BlobStore, never, SqlClient.SqlClient> = Layer.effect(BlobStore, make)
