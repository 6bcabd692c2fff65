import { notFound, type ApiFailure } from "@troupe/domain/api/ApiError"
import { lifecycleOut } from "@troupe/domain/api/compat/lifecycle"
import { budgetOut, usageOut } from "@troupe/domain/api/compat/money"
import { resourceOut } from "@troupe/domain/api/compat/resources"
import { sessionAgentOf } from "@troupe/domain/api/compat/snapshot"
import { type Logged, shownTags, type Surroundings } from "@troupe/domain/api/compat/toCompat"
import { timeOf, timeOfMicros } from "@troupe/domain/api/Page"
import type { Session, SessionAgent } from "@troupe/domain/api/Sessions"
import type { BoundTo } from "@troupe/domain/api/Workspace"
import { fromUuid, prefixes, type SessionId, type ThreadId, toUuid, type WorkspaceId } from "@troupe/domain/Ids"
import * as Codec from "@troupe/domain/session/Codec"
import type { EventOf, SessionEvent } from "@troupe/domain/session/SessionEvent"
import { noTotals } from "@troupe/domain/session/Usage"
import { Clock, Context, Effect, Layer, Option, Result } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { withinBound } from "../access/Bounds.ts"
import * as Together from "../Together.ts"
import { pageBytesMax } from "../log/EventStore.ts"
import * as Setup from "../runners/Setup.ts"

export interface SessionPlace {
  readonly createdAt: number
  readonly sessionId: string
}

export interface SessionFilter {
  readonly agentId: string | null
  readonly agentVersion: number | null
  readonly deploymentId: string | null
  readonly projectId: string | null
  /** What the caller's token is for, where that is not the whole workspace. */
  readonly bound: BoundTo | null
  readonly statuses: ReadonlyArray<string> | null
  readonly includeArchived: boolean
  /** Milliseconds since 1970, with whether the moment itself counts. */
  readonly from: number | null
  readonly to: number | null
  readonly order: "asc" | "desc"
  /** What comes after a place in the order, or before it. */
  readonly place: SessionPlace | null
  readonly backwards: boolean
  readonly limit: number
}

/** A thread that the session opened for somebody else. */
export interface ChildThread {
  readonly threadId: ThreadId
  readonly parentThreadId: ThreadId | null
  readonly name: string
  readonly agent: SessionAgent
  readonly createdAt: string
  readonly archivedAt: string | null
}

/** A session as clients of the API see it, and what its events are shown with. */
export interface SessionView {
  readonly session: Session
  readonly around: Surroundings
  /** The threads beside the session's own. */
  readonly children: ReadonlyArray<ChildThread>
  /** Nothing waits in it or is under way: what it folds to is of no interest to whoever looks for that. */
  readonly resting: boolean
}

export interface LoggedPage {
  readonly events: ReadonlyArray<Logged & { readonly seq: number }>
  /** Beyond which the next page lies; null where the page was neither full nor too heavy for more. */
  readonly next: number | null
}

type Failure = ApiFailure | SqlError

/** What the gateway reads of sessions without waking any of them. */
export class SessionReads extends Context.Service<
  SessionReads,
  {
    readonly find: (workspaceId: WorkspaceId, sessionId: SessionId) => Effect.Effect<SessionView, Failure>
    readonly list: (
      workspaceId: WorkspaceId,
      filter: SessionFilter
    ) => Effect.Effect<ReadonlyArray<SessionView>, SqlError>
    /** Events of a log in an order, beyond a place in it; of some kinds only, and no more at once than a page may weigh. */
    readonly events: (
      sessionId: SessionId,
      options: {
        readonly beyond: number
        readonly order: "asc" | "desc"
        readonly tags: ReadonlyArray<string>
        readonly limit: number
      }
    ) => Effect.Effect<LoggedPage, SqlError>
    /** The first events that clients are shown from a place in a log on: for many logs at once, where many ask. */
    readonly shownFrom: (
      sessionId: SessionId,
      seq: number,
      limit: number
    ) => Effect.Effect<LoggedPage["events"], SqlError>
  }
>()("server/SessionReads") {
  static readonly layer: Layer.Layer<SessionReads, never, SqlClient.SqlClient> = Layer.effect(
    SessionReads,
    Effect.suspend(() => make)
  )
}

interface StoredText {
  /** Microseconds since 1970. */
  readonly at: number
  readonly type: string
  readonly version: number
  readonly payload: string
}

interface Row {
  readonly id: string
  readonly workspace: string
  readonly status: Session["status"]
  readonly statusReason: string | null
  readonly title: string | null
  readonly metadata: Readonly<Record<string, string>>
  readonly labels: ReadonlyArray<string>
  readonly createdAt: number
  readonly updatedAt: number
  readonly archivedAt: number | null
  readonly opened: StoredText
  readonly shown: StoredText | null
  readonly changes: ReadonlyArray<StoredText> | null
}

interface StoredEvent {
  readonly seq: number
  readonly eventId: string
  readonly recordedAt: number
  readonly type: string
  readonly version: number
  readonly payload: string | null
  readonly bytes: number | null
}

const setupTags = [
  "AgentReconfigured",
  "ResourceAdded",
  "ResourceRemoved",
  "BudgetChanged",
  "ThreadOpened",
  "ThreadArchived",
  "OutcomeDefined",
  "OutcomeEvaluated"
]

const decode = (stored: Omit<StoredText, "at">): SessionEvent | null => {
  const event = Codec.decodeFast({ ...stored, seq: 0 } as never)
  return Result.isSuccess(event) ? event.success : null
}

const isTag = <Tag extends SessionEvent["_tag"]>(event: SessionEvent | null, tag: Tag): event is EventOf<Tag> =>
  event?._tag === tag

/** An agent whose log can't be read any more still has a name in lists. */
const unreadable = (opened: EventOf<"SessionOpened">): SessionAgent => sessionAgentOf(opened.agent)!

/** Reasons to be idle that leave messages in the queue. */
const withWork = new Set(["requires_action", "budget_reached", "paused"])

const isResting = ({ status, statusReason }: Row): boolean =>
  status === "terminated" || (status === "idle" && !withWork.has(statusReason ?? ""))

interface Timed {
  readonly at: string
  readonly event: SessionEvent
}

const childrenOf = (
  timed: ReadonlyArray<Timed>,
  setup: Setup.Setup,
  agent: SessionAgent
): ReadonlyArray<ChildThread> => {
  const archived = new Map(
    timed.flatMap(({ at, event }) => (event._tag === "ThreadArchived" ? [[event.threadId, at] as const] : []))
  )
  return timed.flatMap(({ at, event }) => {
    if (event._tag !== "ThreadOpened") return []
    const { name, parentThreadId, threadId } = event
    const own = sessionAgentOf(Setup.agentOf(setup, threadId)) ?? agent
    return [{ threadId, parentThreadId, name, agent: own, createdAt: at, archivedAt: archived.get(threadId) ?? null }]
  })
}

/** What was wanted, with the last that was said of each. What nobody has evaluated is pending. */
const outcomesOf = (timed: ReadonlyArray<Timed>): Session["outcome_evaluations"] =>
  timed.flatMap(({ event }) => {
    if (event._tag !== "OutcomeDefined") return []
    const { description, outcomeId: outcome_id } = event
    const said = timed.findLast((one) => isTag(one.event, "OutcomeEvaluated") && one.event.outcomeId === outcome_id)
    const evaluated = said !== undefined && isTag(said.event, "OutcomeEvaluated") ? said.event : null
    const isOver = evaluated !== null && evaluated.result !== "needs_revision"
    return [
      {
        type: "outcome_evaluation",
        outcome_id,
        description,
        result: evaluated?.result ?? "pending",
        explanation: evaluated?.explanation ?? null,
        iteration: evaluated?.iteration ?? 0,
        completed_at: isOver ? said!.at : null
      }
    ]
  })

const viewOf = (row: Row, now: number): SessionView | null => {
  const opened = decode(row.opened)
  if (!isTag(opened, "SessionOpened")) return null
  const shown = row.shown === null ? null : decode(row.shown)
  const totals = isTag(shown, "StatusChanged") ? shown.totals : noTotals
  const timed = (row.changes ?? []).flatMap((stored) => {
    const event = decode(stored)
    return event === null ? [] : [{ at: timeOfMicros(stored.at), event }]
  })
  const changes = timed.map(({ event }) => event)
  const setup = changes.reduce(Setup.apply, Setup.apply(null, opened))!
  const budget = changes.reduce(
    (latest, event) => (event._tag === "BudgetChanged" ? event.budget : latest),
    opened.budget
  )
  const ended = row.archivedAt ?? now
  const session: Session = {
    id: opened.sessionId,
    type: "session",
    status: row.status,
    agent: sessionAgentOf(Setup.agentOf(setup, opened.threadId)) ?? unreadable(opened),
    environment_id: opened.environment?.environmentId ?? null,
    title: row.title,
    metadata: row.metadata,
    resources: setup.resources.map(resourceOut),
    vault_ids: opened.vaultIds,
    budget: budgetOut(budget),
    outcome_evaluations: outcomesOf(timed),
    stats: {
      active_seconds: totals.activeMs / 1_000,
      duration_seconds: Math.max(0, ended - row.createdAt) / 1_000
    },
    usage: usageOut(totals),
    deployment_id: opened.deploymentId,
    troupe: { project_id: opened.projectId, labels: row.labels, lifecycle: lifecycleOut(opened.lifecycle) },
    created_at: timeOf(row.createdAt),
    updated_at: timeOf(row.updatedAt),
    archived_at: row.archivedAt === null ? null : timeOf(row.archivedAt)
  }
  const around = { primary: opened.threadId, agentName: opened.agent.name }
  return { session, resting: isResting(row), around, children: childrenOf(timed, setup, session.agent) }
}

const loggedOf = ({ eventId, payload, recordedAt, seq, type, version }: StoredEvent) => {
  const event = payload === null ? null : decode({ type, version, payload })
  return event === null ? [] : [{ seq, eventId: fromUuid(prefixes.Event, eventId), recordedAt, event }]
}

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  const stored = `json_build_object('at', e.recorded_at::float8, 'type', e.type, 'version', e.version, 'payload', e.payload::text)`
  // Each of these is one look into an index, however long the log is.
  const columns = sql.literal(`
    s.session_id AS id, s.workspace_id AS workspace, s.status, s.status_reason AS "statusReason", s.title, s.metadata,
    s.labels, s.created_at::float8 AS "createdAt",
    s.updated_at::float8 AS "updatedAt", s.archived_at::float8 AS "archivedAt",
    (SELECT ${stored} FROM events e WHERE e.stream_id = s.session_id AND e.seq = 1) AS opened,
    (SELECT ${stored} FROM events e WHERE e.stream_id = s.session_id AND e.type = 'StatusChanged'
      ORDER BY e.seq DESC LIMIT 1) AS shown,
    (SELECT json_agg(${stored} ORDER BY e.seq) FROM events e WHERE e.stream_id = s.session_id
      AND e.type IN (${setupTags.map((tag) => `'${tag}'`).join(", ")})) AS changes`)

  const eventColumns = sql.literal(
    `seq, event_id AS "eventId", recorded_at::float8 AS "recordedAt", type, version, payload::text AS payload, payload_bytes AS bytes`
  )

  const keyOf = (workspace: string, session: string) => `${workspace} ${session}`

  const findAll = Effect.fnUntraced(function* (keys: ReadonlyArray<string>) {
    const ids = keys.map((key) => key.slice(key.indexOf(" ") + 1))
    const rows = yield* sql<Row>`
      SELECT ${columns} FROM sessions s WHERE s.session_id = ANY(${ids}::uuid[]) AND s.deleted_at IS NULL`
    const now = yield* Clock.currentTimeMillis
    return new Map(
      rows.flatMap((row) => {
        const view = viewOf(row, now)
        return view === null ? [] : [[keyOf(row.workspace, row.id), view] as const]
      })
    )
  }, Effect.withTracerEnabled(false))
  // Readers that come back do so together, and most of them to the same sessions.
  const oneOf = yield* Together.make(findAll, { underWayMax: 2, keysMax: 50 })

  const find = Effect.fn("SessionReads.find")(function* (workspaceId: WorkspaceId, sessionId: SessionId) {
    const found = yield* oneOf(keyOf(toUuid(workspaceId)!, toUuid(sessionId)!))
    return Option.isSome(found) ? found.value : yield* notFound(`Session ${sessionId} was not found.`)
  })

  const list = Effect.fn("SessionReads.list")(function* (workspaceId: WorkspaceId, filter: SessionFilter) {
    const {
      agentId,
      agentVersion,
      backwards,
      bound,
      deploymentId,
      from,
      includeArchived,
      limit,
      order,
      place,
      projectId,
      statuses,
      to
    } = filter
    const descending = (order === "desc") !== backwards
    const beyond = sql.literal(descending ? "<" : ">")
    const clauses = [
      sql`s.workspace_id = ${toUuid(workspaceId)!}`,
      sql`s.deleted_at IS NULL`,
      ...(bound === null ? [] : [withinBound(sql, bound)]),
      ...(includeArchived ? [] : [sql`s.archived_at IS NULL`]),
      ...(agentId === null ? [] : [sql`s.agent_id = ${toUuid(agentId)!}`]),
      ...(agentVersion === null ? [] : [sql`s.agent_version = ${agentVersion}`]),
      ...(deploymentId === null ? [] : [sql`s.deployment_id = ${toUuid(deploymentId) ?? null}::uuid`]),
      ...(projectId === null ? [] : [sql`s.project_id = ${toUuid(projectId)!}`]),
      ...(statuses === null ? [] : [sql`s.status = ANY(${[...statuses]}::text[])`]),
      ...(from === null ? [] : [sql`s.created_at >= ${from}`]),
      ...(to === null ? [] : [sql`s.created_at <= ${to}`]),
      ...(place === null
        ? []
        : [
            sql`(s.created_at, s.session_id) ${beyond} (${place.createdAt}::bigint, ${toUuid(place.sessionId) ?? null}::uuid)`
          ])
    ]
    const direction = sql.literal(descending ? "DESC" : "ASC")
    const rows = yield* sql<Row>`
      SELECT ${columns} FROM sessions s WHERE ${sql.and(clauses)}
      ORDER BY s.created_at ${direction}, s.session_id ${direction} LIMIT ${limit}`
    const now = yield* Clock.currentTimeMillis
    return rows.flatMap((row) => viewOf(row, now) ?? [])
  })

  const events: SessionReads["Service"]["events"] = Effect.fn("SessionReads.events")(function* (
    sessionId,
    { beyond, limit, order, tags }
  ) {
    const direction = sql.literal(order === "desc" ? "DESC" : "ASC")
    const rows = yield* sql<StoredEvent>`
      SELECT ${eventColumns}
      FROM (
        SELECT *, sum(coalesce(payload_bytes, 0)) OVER (ORDER BY seq ${direction} ROWS UNBOUNDED PRECEDING)
          - coalesce(payload_bytes, 0) AS bytes_before
        FROM (
          SELECT * FROM events
          WHERE stream_id = ${toUuid(sessionId)!} AND seq ${sql.literal(order === "desc" ? "<" : ">")} ${beyond}::int
            AND type = ANY(${[...tags]}::text[])
          ORDER BY seq ${direction} LIMIT ${limit}
        ) page
      ) weighed
      WHERE bytes_before < ${pageBytesMax}
      ORDER BY seq ${direction}`
    const bytes = rows.reduce((sum, row) => sum + (row.bytes ?? 0), 0)
    return {
      next: rows.length < limit && bytes < pageBytesMax ? null : rows[rows.length - 1]!.seq,
      events: rows.flatMap(loggedOf)
    }
  })

  const allShownFrom = Effect.fnUntraced(function* (keys: ReadonlyArray<string>) {
    const asked = keys.map((key) => key.split(" ") as [string, string, string])
    const rows = yield* sql<StoredEvent & { readonly n: number }>`
      SELECT k.n::int AS n, e.* FROM unnest(${asked.map(([id]) => id)}::uuid[], ${asked.map(([, from]) => Number(from))}::int[],
          ${asked.map(([, , limit]) => Number(limit))}::int[]) WITH ORDINALITY k (id, beginning, most, n)
        CROSS JOIN LATERAL (
          SELECT ${eventColumns}
          FROM events WHERE stream_id = k.id AND seq >= k.beginning AND type = ANY(${[...shownTags]}::text[])
          ORDER BY seq LIMIT k.most
        ) e
      ORDER BY k.n, e.seq`
    const found = keys.map((key) => [key, [] as Array<StoredEvent>] as const)
    for (const { n, ...row } of rows) found[n - 1]![1].push(row)
    return new Map(found)
  }, Effect.withTracerEnabled(false))
  const someShownFrom = yield* Together.make(allShownFrom, { underWayMax: 2, keysMax: 32 })

  const shownFrom: SessionReads["Service"]["shownFrom"] = Effect.fn("SessionReads.shownFrom")(
    function* (sessionId, seq, limit) {
      const rows = Option.getOrElse(yield* someShownFrom(`${toUuid(sessionId)!} ${seq} ${limit}`), () => [])
      return rows.flatMap(loggedOf)
    }
  )

  return SessionReads.of({ find, list, events, shownFrom })
})
