import type { Highlight } from "@troupe/domain/api/Search"
import { fromUuid, prefixes, type ProjectId, SessionId, toUuid, type WorkspaceId } from "@troupe/domain/Ids"
import { Context, Effect, Layer } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"

export interface SearchQuery {
  readonly workspaceId: WorkspaceId
  readonly words: string
  readonly includeArchived: boolean
  readonly projectId: ProjectId | null
  /** Sessions that come after this one: by when something in them fitted last, and their ids. */
  readonly after: { readonly matchedAt: number; readonly sessionId: string } | null
  readonly limit: number
}

export interface Hit {
  readonly sessionId: SessionId
  /** Milliseconds since 1970. */
  readonly matchedAt: number
  readonly highlights: ReadonlyArray<Highlight>
}

/** Finds sessions by what was said in them and what they are called. Follows the log by some hundred milliseconds. */
export class Search extends Context.Service<
  Search,
  {
    /** The one with the newest fitting piece first. */
    readonly query: (query: SearchQuery) => Effect.Effect<ReadonlyArray<Hit>, SqlError>
  }
>()("server/Search") {
  static readonly layer: Layer.Layer<Search, never, SqlClient.SqlClient> = Layer.effect(
    Search,
    Effect.suspend(() => make)
  )
}

/** Pieces that are shown of one session. */
const piecesMax = 3
/** No text has these: they are taken out of what is kept. */
const marks = { begin: "\u0001", end: "\u0002" }
const headline = `StartSel=${marks.begin}, StopSel=${marks.end}, MaxWords=40, MinWords=20, MaxFragments=1`

/** A piece without its marks, and where they were. */
const unmarked = (marked: string): Pick<Highlight, "text" | "ranges"> => {
  const ranges: Array<readonly [number, number]> = []
  let text = ""
  for (const [at, piece] of marked.split(marks.begin).entries()) {
    const [inside = "", ...outside] = at === 0 ? ["", piece] : piece.split(marks.end)
    if (inside !== "") ranges.push([text.length, text.length + inside.length])
    text += inside + outside.join("")
  }
  return { text, ranges }
}

/** The last word may be only begun. What are no words to the index is looked for as it is. */
const begun = (words: string): string => {
  const found = words.match(/[\p{L}\p{N}]+/gu) ?? []
  return found.map((word, at) => (at === found.length - 1 ? `'${word}':*` : `'${word}'`)).join(" & ")
}

const isPlain = (words: string): boolean => !/["-]|(^|\s)or(\s|$)/i.test(words)

interface Found {
  readonly id: string
  readonly matchedAt: number
}

interface Piece {
  readonly id: string
  readonly field: Highlight["field"]
  readonly eventId: string | null
  readonly marked: string
}

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  const generation = sql.literal("(SELECT version FROM projections WHERE name = 'search' AND live)")

  const wanted = (words: string) => {
    const whole = sql`websearch_to_tsquery('simple', ${words})`
    const started = begun(words)
    return isPlain(words) && started !== "" ? sql`(${whole} || to_tsquery('simple', ${started}))` : whole
  }

  const find = ({ after, includeArchived, limit, projectId, words, workspaceId }: SearchQuery) => sql<Found>`
    SELECT s.session_id AS id, max(d.recorded_at)::float8 AS "matchedAt"
    FROM search_documents d JOIN sessions s USING (session_id)
    WHERE d.generation = ${generation} AND d.workspace_id = ${toUuid(workspaceId)!} AND d.words @@ ${wanted(words)}
      AND s.deleted_at IS NULL
      AND ${includeArchived ? sql`true` : sql`s.archived_at IS NULL`}
      AND ${projectId === null ? sql`true` : sql`s.project_id = ${toUuid(projectId)!}`}
    GROUP BY s.session_id
    HAVING ${
      after === null
        ? sql`true`
        : sql`(max(d.recorded_at), s.session_id) < (${after.matchedAt}::bigint, ${toUuid(after.sessionId) ?? null}::uuid)`
    }
    ORDER BY max(d.recorded_at) DESC, s.session_id DESC LIMIT ${limit}`

  /** What stands for itself comes first: a title before what was said. */
  const pieces = (words: string, ids: ReadonlyArray<string>) => sql<Piece>`
    SELECT session_id AS id, field, event_id AS "eventId",
      ts_headline('simple', content, ${wanted(words)}, ${headline}) AS marked
    FROM (
      SELECT d.*, row_number() OVER (
        PARTITION BY session_id ORDER BY event_id IS NOT NULL, ts_rank(words, ${wanted(words)}) DESC, seq, field, name
      ) AS place
      FROM search_documents d
      WHERE generation = ${generation} AND session_id = ANY(${[...ids]}::uuid[]) AND words @@ ${wanted(words)}
    ) best
    WHERE place <= ${piecesMax} ORDER BY session_id, place`

  const query = Effect.fn("Search.query")(function* (asked: SearchQuery) {
    const found = yield* find(asked)
    if (found.length === 0) return []
    const all = yield* pieces(
      asked.words,
      found.map(({ id }) => id)
    )
    return found.map(({ id, matchedAt }): Hit => ({
      sessionId: SessionId.make(fromUuid(prefixes.Session, id)),
      matchedAt,
      highlights: all
        .filter((piece) => piece.id === id)
        .map(({ eventId, field, marked }) => ({ field, event_id: eventId as never, ...unmarked(marked) }))
    }))
  })

  return Search.of({ query })
})
