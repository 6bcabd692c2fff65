import type { File } from "@troupe/domain/api/Files"
import { timeOf } from "@troupe/domain/api/Page"
import { FileId, fromUuid, prefixes, SessionId, type WorkspaceId } from "@troupe/domain/Ids"

/** A file, and by which hash its content is found. */
export interface KnownFile {
  readonly file: File
  readonly workspaceId: WorkspaceId
  readonly sha256: string
}

export interface FileRow {
  readonly id: string
  readonly sessionId: string | null
  readonly filename: string
  readonly mimeType: string
  readonly bytes: number
  readonly sha256: Uint8Array
  readonly path: string | null
  readonly createdAt: number
  readonly expiresAt: number | null
}

export const fileColumns = `
  f.file_id AS id, f.session_id AS "sessionId", f.filename, f.mime_type AS "mimeType",
  f.size_bytes::float8 AS bytes, f.sha256, f.path, f.created_at::float8 AS "createdAt",
  f.expires_at::float8 AS "expiresAt"`

/** A session's files are there from its first event on, until it is deleted. */
export const isThere = `
  (f.session_id IS NULL OR EXISTS (
    SELECT FROM sessions s WHERE s.session_id = f.session_id AND s.deleted_at IS NULL))`

export const known = (workspaceId: WorkspaceId, row: FileRow): KnownFile => {
  const sha256 = Buffer.from(row.sha256).toString("hex")
  const file: File = {
    id: FileId.make(fromUuid(prefixes.File, row.id)),
    type: "file",
    filename: row.filename,
    mime_type: row.mimeType,
    size_bytes: row.bytes,
    created_at: timeOf(row.createdAt),
    downloadable: true,
    expires_at: row.expiresAt === null ? null : timeOf(row.expiresAt),
    scope:
      row.sessionId === null
        ? null
        : { type: "session", id: SessionId.make(fromUuid(prefixes.Session, row.sessionId)) },
    troupe: { sha256, path: row.path }
  }
  return { file, workspaceId, sha256 }
}
