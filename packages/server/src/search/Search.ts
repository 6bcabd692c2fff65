import { ApiFailure } from "@troupe/domain/api/ApiError"
import type { Highlight } from "@troupe/domain/api/Search"
import { fromUuid, prefixes, type ProjectId, SessionId, toUuid, type WorkspaceId } from "@troupe/domain/Ids"
import { Context, Effect, Layer } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { headline, unmarked } from "./headline.ts"
import { wantedIn } from "./words.ts"

/** A place among what fits, the newest first: by when something was said, and in which session. */
export interface SearchPlace {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly sessionId: string
}

export interface SearchQuery {
  readonly workspaceId: WorkspaceId
  readonly words: string
  readonly includeArchived: boolean
  readonly projectId: ProjectId | null
  /** Sessions in which nothing fits that is as new as this. */
  readonly after: SearchPlace | null
  readonly limit: number
}

export interface Hit {
  readonly sessionId: SessionId
  /** Milliseconds since 1970. */
  readonly matchedAt: number
  readonly highlights: ReadonlyArray<Highlight>
}

export interface SearchPage {
  readonly hits: ReadonlyArray<Hit>
  /** Where the next page begins; null where there is nothing more. */
  readonly next: SearchPlace | null
}

/** Finds sessions by what was said in them and what they are called. Follows the log by some hundred milliseconds. */
export class Search extends Context.Service<
  Search,
  {
    /** The one with the newest fitting piece first. A page may be short, or empty, and still have another one behind it. */
    readonly query: (query: SearchQuery) => Effect.Effect<SearchPage, ApiFailure | SqlError>
  }
>()("server/Search") {
  static readonly layer: Layer.Layer<Search, never, SqlClient.SqlClient> = Layer.effect(
    Search,
    Effect.suspend(() => make)
  )
}

/** Pieces that are shown of one session, and among how many they are chosen. */
const piecesMax = 3
const choiceMax = 100

/** What many say is found among the newest pieces: so many are looked through before the index of words is asked. */
const newestMax = 5_000
const withinMs = 5_000
/** How long the index of words may take: of what many have said long ago it knows too much. */
export const IndexWithinMs = Context.Reference("server/search/IndexWithinMs", { defaultValue: () => 2_000 })

interface Found {
  readonly id: string
  readonly matchedAt: number
}

/** With what was looked through for it, and where that ended. */
interface Looked {
  readonly id: string | null
  readonly matchedAt: number | null
  readonly looked: number
  readonly endAt: number
  readonly endId: string
}

interface Piece {
  readonly id: string
  readonly field: Highlight["field"]
  readonly eventId: string | null
  readonly marked: string
}

const tooLong = new ApiFailure({
  type: "overloaded_error",
  message: "The search takes too long; try again, or with other words",
  retryAfterMs: 1_000
})

const placeOf = ({ id, matchedAt }: Found): SearchPlace => ({
  at: matchedAt,
  sessionId: fromUuid(prefixes.Session, id)
})

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const wanted = wantedIn(sql)
  const indexWithinMs = yield* IndexWithinMs

  const generation = sql.literal("(SELECT version FROM projections WHERE name = 'search' AND live)")
  const tuple = ({ at, sessionId }: SearchPlace) => sql`(${at}::bigint, ${toUuid(sessionId) ?? null}::uuid)`

  /** Of sessions as `s`: those that may be shown. */
  const shown = ({ includeArchived, projectId }: SearchQuery) => sql`
    s.deleted_at IS NULL
      AND ${includeArchived ? sql`true` : sql`s.archived_at IS NULL`}
      AND ${projectId === null ? sql`true` : sql`s.project_id = ${toUuid(projectId)!}`}`

  /** What fits among the newest pieces: their number bounds this, whatever is looked for. */
  const among = (asked: SearchQuery) => {
    const { after, limit, words, workspaceId } = asked
    const beyond = after === null ? sql`true` : sql`(recorded_at, session_id) < ${tuple(after)}`
    const fresh =
      after === null
        ? sql`true`
        : sql`NOT EXISTS (
            SELECT FROM search_documents n WHERE n.generation = ${generation} AND n.session_id = s.session_id
              AND (n.recorded_at, n.session_id) >= ${tuple(after)} AND n.words @@ ${wanted(words)})`
    return sql<Looked>`
      WITH newest AS MATERIALIZED (
        SELECT session_id, recorded_at, words FROM search_documents
        WHERE generation = ${generation} AND workspace_id = ${toUuid(workspaceId)!} AND ${beyond}
        ORDER BY recorded_at DESC, session_id DESC LIMIT ${newestMax}
      ), hits AS (
        SELECT s.session_id, f.at FROM (
          SELECT session_id, max(recorded_at) AS at FROM newest WHERE words @@ ${wanted(words)} GROUP BY session_id
        ) f JOIN sessions s USING (session_id)
        WHERE ${shown(asked)} AND ${fresh}
        ORDER BY f.at DESC, s.session_id DESC LIMIT ${limit + 1}
      )
      SELECT hits.session_id AS id, hits.at::float8 AS "matchedAt", (SELECT count(*)::int FROM newest) AS looked,
        ended.recorded_at::float8 AS "endAt", ended.session_id AS "endId"
      FROM (SELECT recorded_at, session_id FROM newest ORDER BY recorded_at, session_id LIMIT 1) ended
        LEFT JOIN hits ON true
      ORDER BY hits.at DESC, hits.session_id DESC`
  }

  const everywhere = (asked: SearchQuery) => {
    const { after, limit, words, workspaceId } = asked
    const beyond = after === null ? sql`true` : sql`(max(d.recorded_at), s.session_id) < ${tuple(after)}`
    return sql<Found>`
      SELECT s.session_id AS id, max(d.recorded_at)::float8 AS "matchedAt"
      FROM search_documents d JOIN sessions s USING (session_id)
      WHERE d.generation = ${generation} AND d.workspace_id = ${toUuid(workspaceId)!} AND d.words @@ ${wanted(words)}
        AND ${shown(asked)}
      GROUP BY s.session_id HAVING ${beyond}
      ORDER BY max(d.recorded_at) DESC, s.session_id DESC LIMIT ${limit + 1}`
  }

  /** Within its time, or nothing at all. */
  const bounded = <A>(statement: Effect.Effect<A, SqlError>, ms = withinMs): Effect.Effect<A | null, SqlError> =>
    sql.withTransaction(Effect.andThen(sql.unsafe(`SET LOCAL statement_timeout = ${ms}`), statement)).pipe(
      Effect.catchIf(
        ({ reason }: SqlError) => reason._tag === "StatementTimeoutError",
        () => Effect.succeed(null)
      )
    )

  const pageOf = (found: ReadonlyArray<Found>, limit: number) => ({
    found: found.slice(0, limit),
    next: found.length > limit ? placeOf(found[limit - 1]!) : null
  })

  const find = Effect.fnUntraced(function* (asked: SearchQuery) {
    const rows = (yield* bounded(among(asked))) ?? (yield* tooLong)
    const near = rows.flatMap(({ id, matchedAt }): ReadonlyArray<Found> =>
      id === null || matchedAt === null ? [] : [{ id, matchedAt }]
    )
    const [row] = rows
    const isAll = row === undefined || row.looked < newestMax
    if (isAll || near.length > asked.limit) return pageOf(near, asked.limit)
    const all = yield* bounded(everywhere(asked), indexWithinMs)
    if (all !== null) return pageOf(all, asked.limit)
    return { found: near, next: placeOf({ id: row.endId, matchedAt: row.endAt }) }
  })

  /** What stands for itself comes first: a title before what was said. */
  const pieces = (words: string, ids: ReadonlyArray<string>) => {
    const fitting = sql`generation = ${generation} AND session_id = found.id AND words @@ ${wanted(words)}`
    return sql<Piece>`
      SELECT found.id, field, event_id AS "eventId",
        ts_headline('simple', content, ${wanted(words)}, ${headline}) AS marked
      FROM unnest(${[...ids]}::uuid[]) found (id) CROSS JOIN LATERAL (
        SELECT * FROM (
          (SELECT * FROM search_documents WHERE ${fitting} AND event_id IS NULL ORDER BY seq DESC LIMIT ${choiceMax})
          UNION ALL
          (SELECT * FROM search_documents WHERE ${fitting} AND event_id IS NOT NULL ORDER BY seq DESC LIMIT ${choiceMax})
        ) choice
        ORDER BY event_id IS NOT NULL, ts_rank(words, ${wanted(words)}) DESC, seq, field, name LIMIT ${piecesMax}
      ) best`
  }

  const query = Effect.fn("Search.query")(function* (asked: SearchQuery) {
    const { found, next } = yield* find(asked)
    const ids = found.map(({ id }) => id)
    const all = ids.length === 0 ? [] : ((yield* bounded(pieces(asked.words, ids))) ?? [])
    const hits = found.map(({ id, matchedAt }): Hit => ({
      sessionId: SessionId.make(fromUuid(prefixes.Session, id)),
      matchedAt,
      highlights: all
        .filter((piece) => piece.id === id)
        .map(({ eventId, field, marked }) => ({ field, event_id: eventId as never, ...unmarked(marked) }))
    }))
    return { hits, next }
  })

  return Search.of({ query })
})
