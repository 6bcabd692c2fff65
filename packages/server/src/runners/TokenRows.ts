import { BoundTo } from "@troupe/domain/api/Workspace"
import { fromUuid, prefixes, TokenId, WorkspaceId } from "@troupe/domain/Ids"
import { Schema } from "effect"

/** A token as people may see it. Times are milliseconds since 1970. */
export interface Token {
  readonly tokenId: TokenId
  readonly workspaceId: WorkspaceId
  readonly kind: string
  readonly name: string
  readonly hint: string
  readonly labels: ReadonlyArray<string>
  readonly scopes: ReadonlyArray<string>
  readonly bound: BoundTo | null
  readonly parentId: TokenId | null
  readonly createdAt: number
  readonly expiresAt: number | null
  readonly revokedAt: number | null
  readonly lastUsedAt: number | null
}

export interface TokenRow extends Omit<Token, "tokenId" | "workspaceId" | "parentId" | "bound"> {
  readonly tokenId: string
  readonly workspaceId: string
  readonly parentId: string | null
  readonly subject: unknown
  /** Where a list stopped. */
  readonly createdMicros: number
}

export const columns = `
  token_id AS "tokenId", workspace_id AS "workspaceId", kind, name, hint, labels, scopes, subject,
  parent_id AS "parentId", (extract(epoch FROM created_at) * 1000000)::float8 AS "createdMicros",
  (extract(epoch FROM created_at) * 1000)::float8 AS "createdAt",
  (extract(epoch FROM expires_at) * 1000)::float8 AS "expiresAt",
  (extract(epoch FROM revoked_at) * 1000)::float8 AS "revokedAt",
  (extract(epoch FROM last_used_at) * 1000)::float8 AS "lastUsedAt"`

export const tokenIdOf = (uuid: string) => TokenId.make(fromUuid(prefixes.Token, uuid))

// One that can't be read must not be taken for none: a token without bounds opens its whole workspace.
const boundOf = Schema.decodeUnknownSync(Schema.NullOr(BoundTo))

export const fromRow = ({ createdMicros: _, subject, ...row }: TokenRow): Token => ({
  ...row,
  tokenId: tokenIdOf(row.tokenId),
  workspaceId: WorkspaceId.make(fromUuid(prefixes.Workspace, row.workspaceId)),
  parentId: row.parentId === null ? null : tokenIdOf(row.parentId),
  bound: boundOf(subject)
})
