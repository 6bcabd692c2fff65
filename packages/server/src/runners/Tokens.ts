import type { Actor } from "@troupe/domain/Actor"
import type { BoundTo } from "@troupe/domain/api/Workspace"
import { TokenId, toUuid, type WorkspaceId } from "@troupe/domain/Ids"
import type { JsonObject } from "@troupe/domain/Json"
import { Clock, Context, Effect, Layer, Option, Redacted, Schema } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { Minting } from "../log/Minting.ts"
import type { WorkspaceLog } from "../log/WorkspaceLog.ts"
import { makeNotes } from "../workspace/WorkspaceNotes.ts"
import { columns as columnNames, fromRow, type Token, tokenIdOf, type TokenRow } from "./TokenRows.ts"
import * as TokenSecret from "./TokenSecret.ts"

export interface NewToken {
  /** One is made where none is given. */
  readonly tokenId?: TokenId
  readonly workspaceId: WorkspaceId
  readonly kind: TokenSecret.TokenKind
  readonly name: string
  readonly labels: ReadonlyArray<string>
  readonly scopes?: ReadonlyArray<string>
  readonly bound?: BoundTo | null
  /** The token that it is given for: it lasts no longer than that one. */
  readonly parentId?: TokenId | null
  /** Milliseconds since 1970. */
  readonly expiresAt?: number | null
  /** A secret of the caller's own, long and random. */
  readonly secret?: Redacted.Redacted
}

export interface TokenPlace {
  readonly createdMicros: number
  readonly tokenId: string
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

const wanted: Partial<Record<TokenSecret.TokenKind, string>> = {
  runner_registration: "a registration token for runners",
  runner: "a runner token"
}

/** The token for which another one is to be made opens nothing any more. */
export class ParentRevoked extends Schema.TaggedError<ParentRevoked>()("ParentRevoked", { tokenId: TokenId }) {
  override get message() {
    return `Token ${this.tokenId} opens nothing any more`
  }
}

/** Tokens of all kinds: one table, hashed, each write in the workspace's log. */
export class Tokens extends Context.Service<
  Tokens,
  {
    /** Within the caller's transaction, or in one of its own. The secret is shown here and nowhere else. */
    readonly create: (
      token: NewToken,
      actor: Actor
    ) => Effect.Effect<{ readonly tokenId: TokenId; readonly secret: Redacted.Redacted }, SqlError>
    /** The same for a token that goes when its parent does. */
    readonly derive: (
      token: NewToken & { readonly parentId: TokenId },
      actor: Actor
    ) => Effect.Effect<{ readonly tokenId: TokenId; readonly secret: Redacted.Redacted }, ParentRevoked | SqlError>
    /** Makes it unless it is there already, revoked or not. */
    readonly ensure: (
      token: NewToken & { readonly secret: Redacted.Redacted },
      actor: Actor
    ) => Effect.Effect<void, SqlError>
    /** Whose token this is, if it opens doors of that kind, or of one of these. */
    readonly authenticate: (
      kinds: TokenSecret.TokenKind | ReadonlyArray<TokenSecret.TokenKind>,
      secret: Option.Option<Redacted.Redacted>
    ) => Effect.Effect<Token, TokenRefused | WrongTokenKind | SqlError>
    /** Which of these still open something, each named by the hash of its secret, in hex. */
    readonly living: (hashes: ReadonlyArray<string>) => Effect.Effect<ReadonlySet<string>, SqlError>
    /** Opens a door once: whoever shows it again is refused. */
    readonly redeem: (
      kind: TokenSecret.TokenKind,
      secret: Redacted.Redacted
    ) => Effect.Effect<Token, TokenRefused | SqlError>
    /** From now on it opens nothing; with `children`, neither does what was given for it. How many were cut. */
    readonly revoke: (
      workspaceId: WorkspaceId,
      tokenId: TokenId,
      actor: Actor,
      options?: { readonly children?: boolean }
    ) => Effect.Effect<number, SqlError>
    readonly find: (workspaceId: WorkspaceId, tokenId: TokenId) => Effect.Effect<Option.Option<Token>, SqlError>
    /** The newest first, beyond a place. */
    readonly list: (
      workspaceId: WorkspaceId,
      options?: {
        readonly kind?: string | undefined
        readonly parentId?: TokenId
        /** Those alone that open something. */
        readonly living?: boolean
        readonly before?: TokenPlace | null
        readonly limit?: number
      }
    ) => Effect.Effect<ReadonlyArray<Token & TokenPlace>, SqlError>
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

  const columns = sql.literal(columnNames)

  const create = Effect.fn("Tokens.create")(function* (token: NewToken, actor: Actor) {
    const tokenId = token.tokenId ?? TokenId.make(minting.id("Token", yield* Clock.currentTimeMillis))
    const secret = token.secret ?? TokenSecret.mint(token.kind)
    const { bound = null, expiresAt = null, kind, labels, name, parentId = null, scopes = [], workspaceId } = token
    const hint = TokenSecret.hintOf(Redacted.value(secret))
    const expires = expiresAt === null ? null : new Date(expiresAt)
    yield* sql.withTransaction(
      Effect.andThen(
        sql`
          INSERT INTO tokens (token_id, workspace_id, kind, hash, hint, name, labels, scopes, subject, parent_id,
            expires_at)
          VALUES (${toUuid(tokenId)!}, ${toUuid(workspaceId)!}, ${kind}, ${TokenSecret.hashOf(Redacted.value(secret))},
            ${hint}, ${name}, ${[...labels]}, ${[...scopes]}, ${bound === null ? null : JSON.stringify(bound)}::jsonb,
            ${parentId === null ? null : toUuid(parentId)!}, ${expires})`,
        note(workspaceId, actor, {
          _tag: "TokenCreated",
          ...{ tokenId, kind, name, hint, labels, scopes, parentId, expiresAt },
          ...(bound === null ? {} : { bound: bound as unknown as JsonObject })
        })
      )
    )
    return { tokenId, secret }
  })

  const derive: Tokens["Service"]["derive"] = Effect.fn("Tokens.derive")(function* (token, actor) {
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        // Whoever revokes the parent waits for this, or is seen here.
        const [parent] = yield* sql<{ readonly expiresAt: number | null }>`
          SELECT (extract(epoch FROM expires_at) * 1000)::float8 AS "expiresAt" FROM tokens
          WHERE token_id = ${toUuid(token.parentId)!} AND workspace_id = ${toUuid(token.workspaceId)!}
            AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()) FOR SHARE`
        if (parent === undefined) return yield* new ParentRevoked({ tokenId: token.parentId })
        const ends = [token.expiresAt ?? null, parent.expiresAt].filter((one) => one !== null)
        return yield* create({ ...token, expiresAt: ends.length === 0 ? null : Math.floor(Math.min(...ends)) }, actor)
      })
    )
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

  const authenticate: Tokens["Service"]["authenticate"] = Effect.fn("Tokens.authenticate")(function* (kinds, shown) {
    if (Option.isNone(shown)) return yield* new TokenRefused({ reason: "missing" })
    const secret = Redacted.value(shown.value)
    const taken = typeof kinds === "string" ? [kinds] : kinds
    const [row] = yield* sql<TokenRow & { readonly expired: boolean }>`
      SELECT ${columns}, coalesce(expires_at <= now(), false) AS expired
      FROM tokens WHERE hash = ${TokenSecret.hashOf(secret)}`
    if (row === undefined || !taken.some((kind) => kind === row.kind)) {
      const got = TokenSecret.describe(secret)
      const other = got !== undefined && !taken.some((kind) => secret.startsWith(TokenSecret.secretPrefixes[kind]))
      if (row === undefined && !other) return yield* new TokenRefused({ reason: "unknown" })
      const [kind] = taken as readonly [TokenSecret.TokenKind]
      return yield* new WrongTokenKind({
        wanted: wanted[kind] ?? TokenSecret.names[kind],
        got: got ?? "another kind of token"
      })
    }
    if (row.revokedAt !== null) return yield* new TokenRefused({ reason: "revoked" })
    if (row.expired) return yield* new TokenRefused({ reason: "expired" })
    yield* sql`
      UPDATE tokens SET last_used_at = now() WHERE token_id = ${row.tokenId}
        AND (last_used_at IS NULL OR last_used_at < now() - make_interval(secs => ${usedEverySeconds}))`
    const { expired: _, ...known } = row
    return fromRow(known)
  })

  const living = Effect.fn("Tokens.living")(function* (hashes: ReadonlyArray<string>) {
    const rows = yield* sql<{ readonly hash: string }>`
      SELECT encode(hash, 'hex') AS hash FROM tokens
      WHERE hash = ANY (SELECT decode(one, 'hex') FROM unnest(${[...hashes]}::text[]) AS one)
        AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`
    return new Set(rows.map(({ hash }) => hash))
  })

  const redeem: Tokens["Service"]["redeem"] = Effect.fn("Tokens.redeem")(function* (kind, secret) {
    const [row] = yield* sql<TokenRow>`
      UPDATE tokens SET revoked_at = now(), last_used_at = now()
      WHERE hash = ${TokenSecret.hashOf(Redacted.value(secret))} AND kind = ${kind} AND revoked_at IS NULL
        AND (expires_at IS NULL OR expires_at > now())
      RETURNING ${columns}`
    return row === undefined ? yield* new TokenRefused({ reason: "unknown" }) : fromRow(row)
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
    const family =
      options.children === true
        ? sql`token_id IN (
            WITH RECURSIVE family AS (
              SELECT ${id}::uuid AS member
              UNION SELECT t.token_id FROM tokens t JOIN family f ON t.parent_id = f.member
            ) SELECT member FROM family)`
        : sql`token_id = ${id}`
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        // Whoever revokes some of the same takes them in the same order.
        const cut = yield* sql<{ readonly id: string; readonly kind: string }>`
          WITH locked AS MATERIALIZED (
            SELECT token_id FROM tokens
            WHERE workspace_id = ${workspace} AND revoked_at IS NULL AND ${family}
            ORDER BY token_id FOR UPDATE
          )
          UPDATE tokens SET revoked_at = now() FROM locked WHERE tokens.token_id = locked.token_id
          RETURNING tokens.token_id AS id, kind`
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

  const find = Effect.fn("Tokens.find")(function* (workspaceId: WorkspaceId, tokenId: TokenId) {
    const [row] = yield* sql<TokenRow>`
      SELECT ${columns} FROM tokens WHERE workspace_id = ${toUuid(workspaceId)!} AND token_id = ${toUuid(tokenId)!}`
    return row === undefined ? Option.none() : Option.some(fromRow(row))
  })

  const list: Tokens["Service"]["list"] = Effect.fn("Tokens.list")(function* (workspaceId, options = {}) {
    const { before = null, kind, limit = 1_000, living: isLiving = false, parentId } = options
    const clauses = [
      sql`workspace_id = ${toUuid(workspaceId)!}`,
      ...(kind === undefined ? [] : [sql`kind = ${kind}`]),
      ...(parentId === undefined ? [] : [sql`parent_id = ${toUuid(parentId)!}`]),
      ...(isLiving ? [sql`revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`] : []),
      ...(before === null
        ? []
        : [
            sql`(created_at, token_id) < (to_timestamp(0) + ${before.createdMicros}::bigint * interval '1 microsecond',
              ${toUuid(before.tokenId) ?? null}::uuid)`
          ])
    ]
    const rows = yield* sql<TokenRow>`
      SELECT ${columns} FROM tokens WHERE ${sql.and(clauses)} ORDER BY created_at DESC, token_id DESC LIMIT ${limit}`
    return rows.map((row) => ({ ...fromRow(row), createdMicros: row.createdMicros }))
  })

  return Tokens.of({ create, derive, ensure, authenticate, living, redeem, revoke, find, list })
})
