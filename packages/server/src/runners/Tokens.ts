import type { Actor } from "@troupe/domain/Actor"
import { fromUuid, prefixes, TokenId, toUuid, WorkspaceId } from "@troupe/domain/Ids"
import { Clock, Context, Effect, Layer, Option, Redacted, Schema } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { Minting } from "../log/Minting.ts"
import type { WorkspaceLog } from "../log/WorkspaceLog.ts"
import { makeNotes } from "../workspace/WorkspaceNotes.ts"
import * as TokenSecret from "./TokenSecret.ts"

export interface NewToken {
  readonly workspaceId: WorkspaceId
  readonly kind: TokenSecret.TokenKind
  readonly name: string
  readonly labels: ReadonlyArray<string>
  readonly scopes?: ReadonlyArray<string>
  readonly parentId?: TokenId | null
  /** Milliseconds since 1970. */
  readonly expiresAt?: number | null
  /** A secret of the caller's own, long and random. */
  readonly secret?: Redacted.Redacted
}

/** A token as people may see it. */
export interface Token {
  readonly tokenId: TokenId
  readonly workspaceId: WorkspaceId
  readonly kind: string
  readonly name: string
  readonly hint: string
  readonly labels: ReadonlyArray<string>
  readonly scopes: ReadonlyArray<string>
  readonly parentId: TokenId | null
  readonly createdAt: number
  readonly expiresAt: number | null
  readonly revokedAt: number | null
  readonly lastUsedAt: number | null
}

/** It opens nothing, and whoever shows it learns no more than that. */
export class TokenRefused extends Schema.TaggedError<TokenRefused>()("TokenRefused", {
  reason: Schema.Literals(["missing", "unknown", "expired", "revoked"])
}) {
  override get message() {
    return this.reason === "missing" ? "No token was sent" : `The token is ${this.reason}`
  }
}

/** It is a token, and opens another door. */
export class WrongTokenKind extends Schema.TaggedError<WrongTokenKind>()("WrongTokenKind", {
  wanted: Schema.String,
  got: Schema.String
}) {
  override get message() {
    return `This is ${this.got}, not ${this.wanted}`
  }
}

const wanted: Record<TokenSecret.TokenKind, string> = {
  runner_registration: "a registration token for runners",
  runner: "a runner token",
  api_key: "an API key"
}

interface Row {
  readonly tokenId: string
  readonly workspaceId: string
  readonly kind: string
  readonly name: string
  readonly hint: string
  readonly labels: ReadonlyArray<string>
  readonly scopes: ReadonlyArray<string>
  readonly parentId: string | null
  readonly createdAt: number
  readonly expiresAt: number | null
  readonly revokedAt: number | null
  readonly lastUsedAt: number | null
}

const tokenIdOf = (uuid: string) => TokenId.make(fromUuid(prefixes.Token, uuid))

const fromRow = (row: Row): Token => ({
  ...row,
  tokenId: tokenIdOf(row.tokenId),
  workspaceId: WorkspaceId.make(fromUuid(prefixes.Workspace, row.workspaceId)),
  parentId: row.parentId === null ? null : tokenIdOf(row.parentId)
})

/** Tokens of all kinds: one table, hashed, each write in the workspace's log. */
export class Tokens extends Context.Service<
  Tokens,
  {
    /** Within the caller's transaction, or in one of its own. The secret is shown here and nowhere else. */
    readonly create: (
      token: NewToken,
      actor: Actor
    ) => Effect.Effect<{ readonly tokenId: TokenId; readonly secret: Redacted.Redacted }, SqlError>
    /** Makes it unless it is there already, revoked or not. */
    readonly ensure: (
      token: NewToken & { readonly secret: Redacted.Redacted },
      actor: Actor
    ) => Effect.Effect<void, SqlError>
    /** Whose token this is, if it opens doors of that kind. */
    readonly authenticate: (
      kind: TokenSecret.TokenKind,
      secret: Option.Option<Redacted.Redacted>
    ) => Effect.Effect<Token, TokenRefused | WrongTokenKind | SqlError>
    /** From now on it opens nothing; with `children`, neither do the tokens that were given for it. How many were cut. */
    readonly revoke: (
      workspaceId: WorkspaceId,
      tokenId: TokenId,
      actor: Actor,
      options?: { readonly children?: boolean }
    ) => Effect.Effect<number, SqlError>
    readonly list: (workspaceId: WorkspaceId) => Effect.Effect<ReadonlyArray<Token>, SqlError>
  }
>()("server/Tokens") {
  static readonly layer: Layer.Layer<Tokens, never, SqlClient.SqlClient | WorkspaceLog | Minting> = Layer.effect(
    Tokens,
    Effect.suspend(() => make)
  )
}

/** When a token was last used is written at most this often. */
const usedEverySeconds = 60

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const minting = yield* Minting
  const note = yield* makeNotes

  const columns = sql.literal(`
    token_id AS "tokenId", workspace_id AS "workspaceId", kind, name, hint, labels, scopes, parent_id AS "parentId",
    (extract(epoch FROM created_at) * 1000)::float8 AS "createdAt",
    (extract(epoch FROM expires_at) * 1000)::float8 AS "expiresAt",
    (extract(epoch FROM revoked_at) * 1000)::float8 AS "revokedAt",
    (extract(epoch FROM last_used_at) * 1000)::float8 AS "lastUsedAt"`)

  const create = Effect.fn("Tokens.create")(function* (token: NewToken, actor: Actor) {
    const tokenId = TokenId.make(minting.id("Token", yield* Clock.currentTimeMillis))
    const secret = token.secret ?? TokenSecret.mint(token.kind)
    const { expiresAt = null, kind, labels, name, parentId = null, scopes = [], workspaceId } = token
    const hint = TokenSecret.hintOf(Redacted.value(secret))
    const expires = expiresAt === null ? null : new Date(expiresAt)
    yield* sql.withTransaction(
      Effect.andThen(
        sql`
          INSERT INTO tokens (token_id, workspace_id, kind, hash, hint, name, labels, scopes, parent_id, expires_at)
          VALUES (${toUuid(tokenId)!}, ${toUuid(workspaceId)!}, ${kind}, ${TokenSecret.hashOf(Redacted.value(secret))},
            ${hint}, ${name}, ${[...labels]}, ${[...scopes]}, ${parentId === null ? null : toUuid(parentId)!}, ${expires})`,
        note(workspaceId, actor, {
          _tag: "TokenCreated",
          ...{ tokenId, kind, name, hint, labels, scopes, parentId, expiresAt }
        })
      )
    )
    return { tokenId, secret }
  })

  const ensure: Tokens["Service"]["ensure"] = Effect.fn("Tokens.ensure")(function* (token, actor) {
    const hash = TokenSecret.hashOf(Redacted.value(token.secret))
    yield* sql.withTransaction(
      Effect.gen(function* () {
        // Nodes that start together take turns at the workspace's row.
        yield* sql`SELECT FROM workspaces WHERE workspace_id = ${toUuid(token.workspaceId)!} FOR UPDATE`
        const known = yield* sql`SELECT FROM tokens WHERE hash = ${hash}`
        if (known.length === 0) yield* create(token, actor)
      })
    )
  })

  const authenticate = Effect.fn("Tokens.authenticate")(function* (
    kind: TokenSecret.TokenKind,
    shown: Option.Option<Redacted.Redacted>
  ) {
    if (Option.isNone(shown)) return yield* new TokenRefused({ reason: "missing" })
    const secret = Redacted.value(shown.value)
    const [row] = yield* sql<Row & { readonly expired: boolean }>`
      SELECT ${columns}, coalesce(expires_at <= now(), false) AS expired
      FROM tokens WHERE hash = ${TokenSecret.hashOf(secret)}`
    if (row === undefined || row.kind !== kind) {
      const got = TokenSecret.describe(secret)
      const other = got !== undefined && !secret.startsWith(TokenSecret.secretPrefixes[kind])
      if (row !== undefined || other)
        return yield* new WrongTokenKind({ wanted: wanted[kind], got: got ?? "another kind of token" })
      return yield* new TokenRefused({ reason: "unknown" })
    }
    if (row.revokedAt !== null) return yield* new TokenRefused({ reason: "revoked" })
    if (row.expired) return yield* new TokenRefused({ reason: "expired" })
    yield* sql`
      UPDATE tokens SET last_used_at = now() WHERE token_id = ${row.tokenId}
        AND (last_used_at IS NULL OR last_used_at < now() - make_interval(secs => ${usedEverySeconds}))`
    return fromRow(row)
  })

  const revoke = Effect.fn("Tokens.revoke")(function* (
    workspaceId: WorkspaceId,
    tokenId: TokenId,
    actor: Actor,
    options: { readonly children?: boolean } = {}
  ) {
    const id = toUuid(tokenId)
    const workspace = toUuid(workspaceId)
    if (id === undefined || workspace === undefined) return 0
    const family = options.children === true ? sql`(token_id = ${id} OR parent_id = ${id})` : sql`token_id = ${id}`
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        const cut = yield* sql<{ readonly id: string; readonly kind: string }>`
          UPDATE tokens SET revoked_at = now()
          WHERE workspace_id = ${workspace} AND revoked_at IS NULL AND ${family}
          RETURNING token_id AS id, kind`
        const events = cut.map((row) => ({
          _tag: "TokenRevoked" as const,
          tokenId: tokenIdOf(row.id),
          kind: row.kind
        }))
        yield* note(workspaceId, actor, ...events)
        return cut.length
      })
    )
  })

  const list = Effect.fn("Tokens.list")(function* (workspaceId: WorkspaceId) {
    const rows = yield* sql<Row>`
      SELECT ${columns} FROM tokens WHERE workspace_id = ${toUuid(workspaceId)!} ORDER BY created_at, token_id`
    return rows.map(({ ...row }) => fromRow(row))
  })

  return Tokens.of({ create, ensure, authenticate, revoke, list })
})
