import type { Actor } from "@troupe/domain/Actor"
import { fromUuid, prefixes, RunnerId, TokenId, toUuid, WorkspaceId } from "@troupe/domain/Ids"
import type { Hello, Load } from "@troupe/domain/runner/Hello"
import { Clock, Context, Effect, Layer, Option, type Redacted } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { nodeLocks } from "../cluster/NodeLock.ts"
import { Minting } from "../log/Minting.ts"
import type { WorkspaceLog } from "../log/WorkspaceLog.ts"
import { makeNotes } from "../workspace/WorkspaceNotes.ts"
import type { Token } from "./TokenRows.ts"
import { Tokens } from "./Tokens.ts"

/** Who dials in. */
export interface RunnerIdentity {
  readonly runnerId: RunnerId
  readonly workspaceId: WorkspaceId
  readonly tokenId: TokenId
  readonly name: string
  readonly labels: ReadonlyArray<string>
}

/** A runner as the cluster knows it. */
export interface KnownRunner extends RunnerIdentity {
  readonly generation: number
  /** The node that holds its socket now. */
  readonly node: string | null
  readonly hello: Hello | null
  readonly load: Load
  /** An operator wants nothing more to be placed on it. */
  readonly drained: boolean
  readonly revoked: boolean
  /** For how long nothing was heard of it; null where nothing ever was. */
  readonly silentMs: number | null
}

/** What a node says of a link that it holds, and what it learns. */
export interface HeldLink {
  readonly runnerId: RunnerId
  readonly generation: number
  readonly load: Load
}

export interface LinkStanding {
  readonly runnerId: RunnerId
  readonly generation: number
  /** Null while it stands; else why it is to be closed. */
  readonly ended: "revoked" | "replaced" | null
  readonly drained: boolean
}

/**
 * Which runners there are, and which node holds the socket of each. The newest connection wins, by the order in which
 * generations were given out, and what an older one does later changes nothing.
 */
export class RunnerRegistry extends Context.Service<
  RunnerRegistry,
  {
    /** Gives a runner its identity and its credential, in exchange for a registration token. */
    readonly enrol: (
      by: Token,
      as: { readonly name: string; readonly labels: ReadonlyArray<string> }
    ) => Effect.Effect<{ readonly runner: RunnerIdentity; readonly credential: Redacted.Redacted }, SqlError>
    /** The runner that has this token. */
    readonly ofToken: (token: Token) => Effect.Effect<Option.Option<RunnerIdentity>, SqlError>
    /** The number of a connection that is being made. */
    readonly allot: (runnerId: RunnerId) => Effect.Effect<number, SqlError>
    /** This node holds the socket now. False where a newer connection is registered. */
    readonly register: (link: {
      readonly runnerId: RunnerId
      readonly generation: number
      readonly node: string
      readonly hello: Hello
    }) => Effect.Effect<boolean, SqlError>
    /** What it says of itself now, where its connection still is this one. */
    readonly update: (runnerId: RunnerId, generation: number, hello: Hello) => Effect.Effect<void, SqlError>
    readonly unregister: (runnerId: RunnerId, generation: number) => Effect.Effect<void, SqlError>
    /** Says what these links are doing, and asks which of them stand, in one statement. */
    readonly touch: (links: ReadonlyArray<HeldLink>) => Effect.Effect<ReadonlyArray<LinkStanding>, SqlError>
    /** All of them, or a page of those behind one, in the order of their ids: about that in which they came. */
    readonly list: (
      workspaceId: WorkspaceId,
      page?: { readonly after: string | null; readonly limit: number }
    ) => Effect.Effect<ReadonlyArray<KnownRunner>, SqlError>
    readonly find: (runnerId: string) => Effect.Effect<Option.Option<KnownRunner>, SqlError>
    /**
     * From now on nothing is placed on it, or is again; what its sessions have due may be for two seconds more, until its node
     * has seen it. False where the workspace has no such runner.
     */
    readonly setDrained: (
      workspaceId: WorkspaceId,
      runnerId: RunnerId,
      drained: boolean,
      actor: Actor
    ) => Effect.Effect<boolean, SqlError>
  }
>()("server/RunnerRegistry") {
  static readonly layer: Layer.Layer<RunnerRegistry, never, SqlClient.SqlClient | WorkspaceLog | Minting | Tokens> =
    Layer.effect(
      RunnerRegistry,
      Effect.suspend(() => make)
    )
}

interface Row {
  readonly runnerId: string
  readonly workspaceId: string
  readonly tokenId: string
  readonly name: string
  readonly labels: ReadonlyArray<string>
  readonly generation: number
  readonly node: string | null
  readonly hello: Hello | null
  readonly attempts: number
  readonly sessions: number
  readonly draining: boolean
  readonly drained: boolean
  readonly revoked: boolean
  readonly silentMs: number | null
}

const runnerIdOf = (uuid: string) => RunnerId.make(fromUuid(prefixes.Runner, uuid))

const identityOf = (row: Pick<Row, "runnerId" | "workspaceId" | "tokenId" | "name" | "labels">): RunnerIdentity => ({
  runnerId: runnerIdOf(row.runnerId),
  workspaceId: WorkspaceId.make(fromUuid(prefixes.Workspace, row.workspaceId)),
  tokenId: TokenId.make(fromUuid(prefixes.Token, row.tokenId)),
  name: row.name,
  labels: row.labels
})

const fromRow = (row: Row): KnownRunner => ({
  ...identityOf(row),
  generation: row.generation,
  node: row.node,
  hello: row.hello,
  load: { attempts: row.attempts, sessions: row.sessions, draining: row.draining },
  drained: row.drained,
  revoked: row.revoked,
  silentMs: row.silentMs
})

/** A link that nobody has touched for so long is none: its node is frozen, or cut off from the database. */
export const touchedWithinSeconds = 10

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const minting = yield* Minting
  const tokens = yield* Tokens
  const note = yield* makeNotes

  // A killed node's links are gone with its lock, before anything else says so.
  const rows = sql.literal(`
    SELECT r.runner_id AS "runnerId", r.workspace_id AS "workspaceId", r.token_id AS "tokenId", r.name, r.labels,
      r.generation, r.hello, r.load_attempts AS attempts, r.load_sessions AS sessions, r.draining, r.drained,
      t.revoked_at IS NOT NULL OR coalesce(t.expires_at <= now(), false) AS revoked,
      (extract(epoch FROM now() - r.last_seen_at) * 1000)::float8 AS "silentMs",
      CASE WHEN r.last_seen_at > now() - interval '${touchedWithinSeconds} seconds' AND r.node IN (
        SELECT address FROM nodes WHERE lock_key IN (SELECT objid::bigint FROM pg_locks WHERE ${nodeLocks})
      ) THEN r.node END AS node
    FROM runners r JOIN tokens t USING (token_id)`)

  const enrol = Effect.fn("RunnerRegistry.enrol")(function* (
    by: Token,
    as: { readonly name: string; readonly labels: ReadonlyArray<string> }
  ) {
    const { tokenId: parentId, workspaceId } = by
    const runnerId = RunnerId.make(minting.id("Runner", yield* Clock.currentTimeMillis))
    const labels = [...new Set([...by.labels, ...as.labels])]
    const actor: Actor = { type: "runner", id: runnerId }
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        const { secret, tokenId } = yield* tokens.create(
          { workspaceId, kind: "runner", name: as.name, labels: [], parentId },
          actor
        )
        yield* sql`
          INSERT INTO runners (runner_id, workspace_id, token_id, name, labels)
          VALUES (${toUuid(runnerId)!}, ${toUuid(workspaceId)!}, ${toUuid(tokenId)!}, ${as.name}, ${labels})`
        yield* note(workspaceId, actor, { _tag: "RunnerRegistered", runnerId, tokenId, name: as.name, labels })
        return { runner: { runnerId, workspaceId, tokenId, name: as.name, labels }, credential: secret }
      })
    )
  })

  const ofToken = Effect.fn("RunnerRegistry.ofToken")(function* (token: Token) {
    const [row] = yield* sql<Pick<Row, "runnerId" | "workspaceId" | "tokenId" | "name" | "labels">>`
      SELECT runner_id AS "runnerId", workspace_id AS "workspaceId", token_id AS "tokenId", name, labels
      FROM runners WHERE token_id = ${toUuid(token.tokenId)!}`
    return row === undefined ? Option.none() : Option.some(identityOf(row))
  })

  const allot = Effect.fn("RunnerRegistry.allot")(function* (runnerId: RunnerId) {
    const [row] = yield* sql<{ readonly allotted: number }>`
      UPDATE runners SET allotted = allotted + 1 WHERE runner_id = ${toUuid(runnerId)!} RETURNING allotted`
    return row!.allotted
  })

  const register: RunnerRegistry["Service"]["register"] = Effect.fn("RunnerRegistry.register")(function* ({
    generation,
    hello,
    node,
    runnerId
  }) {
    const registered = yield* sql`
        UPDATE runners SET generation = ${generation}, node = ${node}, boot_id = ${hello.bootId},
          journal_id = ${hello.journalId}, hello = ${JSON.stringify(hello)}::json, draining = ${hello.draining},
          load_attempts = ${hello.attempts.filter(({ working }) => working).length},
          connected_at = now(), last_seen_at = now()
        WHERE runner_id = ${toUuid(runnerId)!} AND generation < ${generation}
        RETURNING runner_id`
    return registered.length > 0
  })

  const update = Effect.fn("RunnerRegistry.update")(function* (runnerId: RunnerId, generation: number, hello: Hello) {
    yield* sql`
      UPDATE runners SET hello = ${JSON.stringify(hello)}::json
      WHERE runner_id = ${toUuid(runnerId)!} AND generation = ${generation}`
  })

  const unregister = Effect.fn("RunnerRegistry.unregister")(function* (runnerId: RunnerId, generation: number) {
    yield* sql`
      UPDATE runners SET node = NULL, last_seen_at = now()
      WHERE runner_id = ${toUuid(runnerId)!} AND generation = ${generation}`
  })

  const touch: RunnerRegistry["Service"]["touch"] = Effect.fnUntraced(function* (links) {
    if (links.length === 0) return []
    const found = yield* sql<{
      readonly runnerId: string
      readonly generation: number
      readonly newer: boolean
      readonly revoked: boolean
      readonly drained: boolean
    }>`
      WITH held AS (
        SELECT * FROM unnest(
          ${links.map(({ runnerId }) => toUuid(runnerId)!)}::uuid[], ${links.map((link) => link.generation)}::int[],
          ${links.map(({ load }) => load.attempts)}::int[], ${links.map(({ load }) => load.sessions)}::int[],
          ${links.map(({ load }) => load.draining)}::boolean[]
        ) AS h (runner_id, generation, attempts, sessions, draining)
      ), touched AS (
        UPDATE runners r SET last_seen_at = now(), load_attempts = h.attempts, load_sessions = h.sessions,
          draining = h.draining
        FROM held h WHERE r.runner_id = h.runner_id AND r.generation = h.generation
      )
      SELECT h.runner_id AS "runnerId", h.generation, r.generation > h.generation AS newer, r.drained,
        t.revoked_at IS NOT NULL OR coalesce(t.expires_at <= now(), false) AS revoked
      FROM held h JOIN runners r USING (runner_id) JOIN tokens t USING (token_id)`
    return found.map((row) => ({
      runnerId: runnerIdOf(row.runnerId),
      generation: row.generation,
      ended: row.revoked ? "revoked" : row.newer ? "replaced" : null,
      drained: row.drained
    }))
  })

  const list: RunnerRegistry["Service"]["list"] = Effect.fn("RunnerRegistry.list")(function* (workspaceId, page) {
    const after = page?.after ?? null
    const behind = after === null ? sql`true` : sql`r.runner_id > ${toUuid(after) ?? null}::uuid`
    const found = yield* sql<Row>`
      ${rows} WHERE r.workspace_id = ${toUuid(workspaceId)!} AND ${behind}
      ORDER BY r.runner_id LIMIT ${page?.limit ?? null}::int`
    return found.map(fromRow)
  })

  const find = Effect.fn("RunnerRegistry.find")(function* (runnerId: string) {
    const id = toUuid(runnerId)
    if (id === undefined) return Option.none()
    const [row] = yield* sql<Row>`${rows} WHERE r.runner_id = ${id}`
    return row === undefined ? Option.none() : Option.some(fromRow(row))
  })

  const setDrained: RunnerRegistry["Service"]["setDrained"] = Effect.fn("RunnerRegistry.setDrained")(
    function* (workspaceId, runnerId, drained, actor) {
      return yield* sql.withTransaction(
        Effect.gen(function* () {
          const [row] = yield* sql<{ readonly was: boolean }>`
            SELECT drained AS was FROM runners
            WHERE runner_id = ${toUuid(runnerId)!} AND workspace_id = ${toUuid(workspaceId)!} FOR UPDATE`
          if (row === undefined) return false
          if (row.was === drained) return true
          yield* sql`UPDATE runners SET drained = ${drained} WHERE runner_id = ${toUuid(runnerId)!}`
          yield* note(workspaceId, actor, { _tag: drained ? "RunnerDrained" : "RunnerUndrained", runnerId })
          return true
        })
      )
    }
  )

  return RunnerRegistry.of({ enrol, ofToken, allot, register, update, unregister, touch, list, find, setDrained })
})
