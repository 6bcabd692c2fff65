import { type ApiFailure, notFound } from "@troupe/domain/api/ApiError"
import type { File } from "@troupe/domain/api/Files"
import { FileId, fromUuid, prefixes, type SessionId, toUuid, type WorkspaceId } from "@troupe/domain/Ids"
import { Clock, Context, Effect, Layer, Option, type Scope, type Stream } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { Caller, Mint } from "../gateway/Requests.ts"
import { Minting } from "../log/Minting.ts"
import type { WorkspaceLog } from "../log/WorkspaceLog.ts"
import { makeNotes } from "../workspace/WorkspaceNotes.ts"
import { away, Contents, type ContentsUnavailable, type Range, type Staged, unavailable } from "./Contents.ts"
import { fileColumns, type FileRow, isThere, known, type KnownFile } from "./FileRows.ts"
import { begin, stage, type Staging } from "./Staging.ts"
import { verified } from "./verified.ts"

type Failure = ApiFailure | SqlError

export interface FileFilter {
  readonly sessionId: SessionId | null
  readonly ids: ReadonlyArray<string> | null
  readonly after: { readonly createdAt: number; readonly fileId: string } | null
  readonly limit: number
}

export interface NewFile {
  readonly filename: string
  readonly mimeType: string
  readonly expiresInSeconds: number | null
  /** The session that it is of, and where at its place it was. */
  readonly from?: { readonly sessionId: SessionId; readonly path: string }
}

/** What an agent made, as its runner tells of it. */
export interface Output {
  readonly workspaceId: WorkspaceId
  readonly sessionId: SessionId
  readonly path: string
  readonly filename: string
  readonly mimeType: string
  readonly sha256: string
}

/** Files of workspaces: their rows here, their content in `Contents`. A file of a session is there as long as that is. */
export class Files extends Context.Service<
  Files,
  {
    readonly bytesMax: number
    /** Takes content in that comes piece by piece, to be made a file of within the scope. */
    readonly begin: Effect.Effect<Staging, ApiFailure, Scope.Scope>
    /** Takes content in, to be made a file of within the scope. */
    readonly stage: <E>(content: Stream.Stream<Uint8Array, E>) => Effect.Effect<Staged, E | ApiFailure, Scope.Scope>
    /** Keeps content of which files can be made. */
    readonly keep: (workspaceId: WorkspaceId, staged: Staged) => Effect.Effect<void, Failure>
    /** Makes a file of what was staged. Its note is in the workspace's log too. */
    readonly upload: (staged: Staged, file: NewFile) => Effect.Effect<File, Failure, Caller | Mint>
    /** Gives a session a copy of its own: it stays when the file goes. */
    readonly copy: (file: KnownFile, sessionId: SessionId) => Effect.Effect<FileId, SqlError, Mint>
    /** Makes a file of content that is kept; none where it is not. What the path holds already is no new file. */
    readonly output: (output: Output) => Effect.Effect<Option.Option<FileId>, Failure>
    readonly find: (workspaceId: WorkspaceId, fileId: FileId) => Effect.Effect<KnownFile, Failure>
    /** The newest first. */
    readonly list: (workspaceId: WorkspaceId, filter: FileFilter) => Effect.Effect<ReadonlyArray<File>, SqlError>
    readonly content: (
      file: KnownFile,
      range: Range
    ) => Effect.Effect<Stream.Stream<Uint8Array, ContentsUnavailable>, ApiFailure>
    /** Content by its hash, whichever files are made of it; none where it is not kept. */
    readonly contentOf: (
      workspaceId: WorkspaceId,
      sha256: string
    ) => Effect.Effect<
      Option.Option<{ readonly bytes: number; readonly content: Stream.Stream<Uint8Array, ContentsUnavailable> }>,
      Failure
    >
    readonly remove: (fileId: FileId) => Effect.Effect<void, Failure, Caller>
    /** Takes back a session's copy. */
    readonly drop: (workspaceId: WorkspaceId, fileId: FileId) => Effect.Effect<void, SqlError>
  }
>()("server/Files") {
  static readonly layer = (
    bytesMax: number
  ): Layer.Layer<Files, never, Contents | SqlClient.SqlClient | WorkspaceLog | Minting> =>
    Layer.effect(Files, make(bytesMax))
}

const make = Effect.fnUntraced(function* (bytesMax: number) {
  const sql = yield* SqlClient.SqlClient
  const contents = yield* Contents
  const minting = yield* Minting
  const note = yield* makeNotes

  const columns = sql.literal(fileColumns)
  const there = sql.literal(isThere)
  const name = (sha256: string) => Buffer.from(sha256, "hex")

  /** Whoever makes a file of content holds its row, which `FileSweep` takes before it removes any. */
  const want = Effect.fnUntraced(function* (workspaceId: WorkspaceId, { bytes, sha256 }: Omit<Staged, "path">) {
    const at = yield* Clock.currentTimeMillis
    yield* sql`
      INSERT INTO file_contents AS c (workspace_id, sha256, size_bytes, wanted_at)
      VALUES (${toUuid(workspaceId)!}, ${name(sha256)}, ${bytes}, ${at})
      ON CONFLICT (workspace_id, sha256) DO UPDATE SET wanted_at = greatest(c.wanted_at, excluded.wanted_at)`
  })

  const keep: Files["Service"]["keep"] = Effect.fn("Files.keep")(function* (workspaceId, staged) {
    yield* want(workspaceId, staged)
    yield* Effect.catch(contents.put(workspaceId, staged), away)
  })

  const insert = Effect.fnUntraced(function* (row: {
    readonly fileId: FileId
    readonly workspaceId: WorkspaceId
    readonly sessionId: SessionId | null
    readonly origin: "upload" | "promotion" | "copy" | "output"
    readonly filename: string
    readonly mimeType: string
    readonly bytes: number
    readonly sha256: string
    readonly path: string | null
    readonly expiresAt: number | null
  }) {
    const { expiresAt, fileId, sessionId, workspaceId } = row
    const at = yield* Clock.currentTimeMillis
    yield* want(workspaceId, row)
    const made = yield* sql`
      INSERT INTO files
        (file_id, workspace_id, session_id, origin, filename, mime_type, size_bytes, sha256, path, created_at, expires_at)
      VALUES (${toUuid(fileId)!}, ${toUuid(workspaceId)!}, ${sessionId === null ? null : toUuid(sessionId)!}, ${row.origin},
        ${row.filename}, ${row.mimeType}, ${row.bytes}, ${name(row.sha256)}, ${row.path}, ${at}, ${expiresAt})
      ON CONFLICT (file_id) DO NOTHING RETURNING 1`
    // Another time the same request came: its file is there.
    return made.length > 0
  })

  const absent = (fileId: string) => notFound(`File ${fileId} was not found.`)

  const find: Files["Service"]["find"] = Effect.fn("Files.find")(function* (workspaceId, fileId) {
    const [row] = yield* sql<FileRow>`
      SELECT ${columns} FROM files f
      WHERE f.file_id = ${toUuid(fileId)!} AND f.workspace_id = ${toUuid(workspaceId)!} AND ${there}`
    if (row === undefined) return yield* absent(fileId)
    if (row.expiresAt !== null && row.expiresAt <= (yield* Clock.currentTimeMillis)) {
      return yield* notFound(`File ${fileId} has expired.`, "file_expired")
    }
    return known(workspaceId, row)
  })

  const upload: Files["Service"]["upload"] = Effect.fn("Files.upload")(function* (staged, asked) {
    const { actor, workspaceId } = yield* Caller
    const mint = yield* Mint
    const fileId = FileId.make(mint("File"))
    const { bytes, sha256 } = staged
    yield* keep(workspaceId, staged)
    const { expiresInSeconds, filename, from, mimeType } = asked
    const expiresAt = expiresInSeconds === null ? null : (yield* Clock.currentTimeMillis) + expiresInSeconds * 1_000
    const { path = null, sessionId = null } = from ?? {}
    const origin = from === undefined ? "upload" : "promotion"
    const row = { fileId, workspaceId, sessionId, origin, filename, mimeType, bytes, sha256, path, expiresAt } as const
    yield* sql.withTransaction(
      Effect.gen(function* () {
        if (!(yield* insert(row))) return
        yield* note(workspaceId, actor, { _tag: "FileUploaded", fileId, sha256, bytes, expiresAt })
      })
    )
    return (yield* find(workspaceId, fileId)).file
  })

  const copy: Files["Service"]["copy"] = Effect.fn("Files.copy")(function* ({ file, sha256, workspaceId }, sessionId) {
    const mint = yield* Mint
    const fileId = FileId.make(mint("File", `copy of ${file.id}`))
    const { filename, mime_type: mimeType, size_bytes: bytes } = file
    const row = { fileId, workspaceId, sessionId, origin: "copy", filename, mimeType, bytes, sha256 } as const
    yield* sql.withTransaction(insert({ ...row, path: null, expiresAt: null }))
    return fileId
  })

  const output: Files["Service"]["output"] = Effect.fn("Files.output")(function* (made) {
    const { path, sessionId, sha256, workspaceId } = made
    const at = yield* Clock.currentTimeMillis
    const [content] = yield* sql<{ readonly bytes: number }>`
      UPDATE file_contents SET wanted_at = greatest(wanted_at, ${at})
      WHERE workspace_id = ${toUuid(workspaceId)!} AND sha256 = ${name(sha256)}
      RETURNING size_bytes::float8 AS bytes`
    if (content === undefined) return Option.none()
    const { bytes } = content
    const stored = yield* Effect.catch(contents.read({ workspaceId, sha256, bytes }, { offset: 0, length: 0 }), away)
    if (Option.isNone(stored)) return Option.none()
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        const [last] = yield* sql<{ readonly id: string; readonly same: boolean }>`
          SELECT file_id AS id, sha256 = ${name(sha256)} AS same FROM files
          WHERE session_id = ${toUuid(sessionId)!} AND origin = 'output' AND path = ${path}
          ORDER BY created_at DESC, file_id DESC LIMIT 1`
        if (last?.same === true) return Option.some(FileId.make(fromUuid(prefixes.File, last.id)))
        const fileId = FileId.make(minting.id("File", at))
        yield* insert({ ...made, fileId, bytes, origin: "output", expiresAt: null })
        return Option.some(fileId)
      })
    )
  })

  const list: Files["Service"]["list"] = Effect.fn("Files.list")(function* (workspaceId, filter) {
    const { after, ids, limit, sessionId } = filter
    const now = yield* Clock.currentTimeMillis
    const clauses = [
      sql`f.workspace_id = ${toUuid(workspaceId)!}`,
      sql`(f.expires_at IS NULL OR f.expires_at > ${now})`,
      there,
      ...(sessionId === null ? [] : [sql`f.session_id = ${toUuid(sessionId)!}`]),
      ...(ids === null ? [] : [sql`f.file_id = ANY(${ids.flatMap((id) => toUuid(id) ?? [])}::uuid[])`]),
      ...(after === null
        ? []
        : [sql`(f.created_at, f.file_id) < (${after.createdAt}::bigint, ${toUuid(after.fileId) ?? null}::uuid)`])
    ]
    const rows = yield* sql<FileRow>`
      SELECT ${columns} FROM files f WHERE ${sql.and(clauses)}
      ORDER BY f.created_at DESC, f.file_id DESC LIMIT ${limit}`
    return rows.map((row) => known(workspaceId, row).file)
  })

  const content: Files["Service"]["content"] = Effect.fn("Files.content")(function* (file, range) {
    const { sha256, workspaceId } = file
    const bytes = file.file.size_bytes
    const found = yield* Effect.catch(contents.read({ workspaceId, sha256, bytes }, range), away)
    if (Option.isNone(found)) {
      return yield* away(unavailable("read")(new Error(`there is no content ${sha256} of workspace ${workspaceId}`)))
    }
    return range.offset === 0 && range.length === bytes ? verified(found.value, sha256) : found.value
  })

  const contentOf: Files["Service"]["contentOf"] = Effect.fn("Files.contentOf")(function* (workspaceId, sha256) {
    const [row] = yield* sql<{ readonly bytes: number }>`
      SELECT size_bytes::float8 AS bytes FROM file_contents
      WHERE workspace_id = ${toUuid(workspaceId)!} AND sha256 = ${name(sha256)}`
    if (row === undefined) return Option.none()
    const { bytes } = row
    const found = yield* Effect.catch(contents.read({ workspaceId, sha256, bytes }, { offset: 0, length: bytes }), away)
    return Option.map(found, (content) => ({ bytes, content: verified(content, sha256) }))
  })

  const remove: Files["Service"]["remove"] = Effect.fn("Files.remove")(function* (fileId) {
    const { actor, workspaceId } = yield* Caller
    yield* sql.withTransaction(
      Effect.gen(function* () {
        const gone = yield* sql`
          DELETE FROM files f
          WHERE f.file_id = ${toUuid(fileId)!} AND f.workspace_id = ${toUuid(workspaceId)!} AND ${there} RETURNING 1`
        if (gone.length === 0) return yield* absent(fileId)
        yield* note(workspaceId, actor, { _tag: "FileDeleted", fileId })
      })
    )
  })

  const drop: Files["Service"]["drop"] = Effect.fn("Files.drop")((workspaceId, fileId) =>
    Effect.asVoid(sql`
      DELETE FROM files
      WHERE file_id = ${toUuid(fileId)!} AND workspace_id = ${toUuid(workspaceId)!} AND origin = 'copy'`)
  )

  return Files.of({
    bytesMax,
    begin: begin(contents.staging, bytesMax),
    stage: (incoming) => stage(contents.staging, bytesMax, incoming),
    ...{ keep, upload, copy, output, find, list, content, contentOf, remove, drop }
  })
})
