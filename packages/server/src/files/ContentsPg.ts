import { toUuid } from "@troupe/domain/Ids"
import { Effect, Layer, Option, Stream } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { Contents, unavailable } from "./Contents.ts"
import { readPieces } from "./readPieces.ts"
import { temporary } from "./Staging.ts"

/** Each travels as one message, of which a connection takes 16 MiB. */
const pieceBytes = 4 * 1_048_576

/** In the database, for nodes that share nothing else. Each piece is a statement of its own: none of them takes long. */
export const layer: Layer.Layer<Contents, never, SqlClient.SqlClient> = Layer.effect(
  Contents,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient

    const isThere = (workspace: string, sha256: string) =>
      Effect.map(
        sql`
          SELECT FROM file_pieces
          WHERE workspace_id = ${workspace} AND sha256 = ${Buffer.from(sha256, "hex")} AND n = 0`,
        (rows) => rows.length > 0
      )

    const insert = (workspace: string, sha256: string, n: number, bytes: Uint8Array) => sql`
      INSERT INTO file_pieces (workspace_id, sha256, n, bytes)
      VALUES (${workspace}, ${Buffer.from(sha256, "hex")}, ${n}, ${bytes}) ON CONFLICT DO NOTHING`

    const put: Contents["Service"]["put"] = Effect.fn("Contents.put")(function* (workspaceId, staged) {
      const { bytes, path, sha256 } = staged
      const workspace = toUuid(workspaceId)!
      yield* Effect.gen(function* () {
        if (yield* isThere(workspace, sha256)) return
        const pieces = Stream.zipWithIndex(readPieces(path, { offset: 0, length: bytes }, pieceBytes))
        yield* Stream.runForEach(Stream.rechunk(pieces, 1), ([piece, index]) =>
          insert(workspace, sha256, index + 1, piece)
        )
        yield* insert(workspace, sha256, 0, new Uint8Array())
      }).pipe(Effect.catchTag("SqlError", (cause) => Effect.fail(unavailable("put")(cause))))
    })

    const piece = (workspace: string, sha256: string, n: number, from: number, length: number) =>
      Effect.gen(function* () {
        const [row] = yield* sql<{ readonly bytes: Uint8Array }>`
          SELECT substring(bytes FROM ${from + 1} FOR ${length}) AS bytes FROM file_pieces
          WHERE workspace_id = ${workspace} AND sha256 = ${Buffer.from(sha256, "hex")} AND n = ${n}`
        if (row?.bytes.length === length) return row.bytes
        return yield* unavailable("read")(new Error("a piece is missing"))
      }).pipe(Effect.catchTag("SqlError", (cause) => Effect.fail(unavailable("read")(cause))))

    const read: Contents["Service"]["read"] = Effect.fn("Contents.read")(function* (name, { length, offset }) {
      const workspace = toUuid(name.workspaceId)!
      const there = yield* Effect.mapError(isThere(workspace, name.sha256), unavailable("read"))
      if (!there) return Option.none()
      const end = offset + length
      return Option.some(
        Stream.unfold(offset, (at) =>
          Effect.gen(function* () {
            if (at >= end) return undefined
            const inside = at % pieceBytes
            const wanted = Math.min(pieceBytes - inside, end - at)
            const n = Math.floor(at / pieceBytes) + 1
            return [yield* piece(workspace, name.sha256, n, inside, wanted), at + wanted] as const
          })
        )
      )
    })

    const remove: Contents["Service"]["remove"] = Effect.fn("Contents.remove")((workspaceId, sha256) =>
      sql`
        DELETE FROM file_pieces
        WHERE workspace_id = ${toUuid(workspaceId)!} AND sha256 = ${Buffer.from(sha256, "hex")}`.pipe(
        Effect.asVoid,
        Effect.mapError(unavailable("remove"))
      )
    )

    return Contents.of({ staging: yield* temporary, put, read, remove })
  })
)
