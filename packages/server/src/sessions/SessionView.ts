import { directoryOut } from "@troupe/domain/api/compat/directory"
import { lifecycleOut } from "@troupe/domain/api/compat/lifecycle"
import { budgetOut, limitsOut, usageOut } from "@troupe/domain/api/compat/money"
import { resourceOut } from "@troupe/domain/api/compat/resources"
import { sessionAgentOf } from "@troupe/domain/api/compat/snapshot"
import type { Surroundings } from "@troupe/domain/api/compat/toCompat"
import { timeOf, timeOfMicros } from "@troupe/domain/api/Page"
import type { Session, SessionAgent } from "@troupe/domain/api/Sessions"
import type { ThreadId } from "@troupe/domain/Ids"
import { isHostDirectory } from "@troupe/domain/session/HostDirectory"
import type { EventOf, SessionEvent } from "@troupe/domain/session/SessionEvent"
import { noTotals } from "@troupe/domain/session/Usage"
import * as Setup from "../runners/Setup.ts"
import { eventOf } from "./LoggedEvents.ts"

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

interface StoredText {
  /** Microseconds since 1970. */
  readonly at: number
  readonly type: string
  readonly version: number
  readonly payload: string
}

/** A session as the database has it, with those of its events that say how it stands. */
export interface SessionRow {
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
  readonly sandbox: StoredText | null
  readonly changes: ReadonlyArray<StoredText> | null
}

const setupTags = [
  "AgentReconfigured",
  "ResourceAdded",
  "ResourceRemoved",
  "BudgetChanged",
  "PoliciesChanged",
  "ThreadOpened",
  "ThreadArchived",
  "OutcomeDefined",
  "OutcomeEvaluated"
]

const stored = `json_build_object('at', e.recorded_at::float8, 'type', e.type, 'version', e.version, 'payload', e.payload::text)`
// Each of these is one look into an index, however long the log is.
export const sessionColumns = `
  s.session_id AS id, s.workspace_id AS workspace, s.status, s.status_reason AS "statusReason", s.title, s.metadata,
  s.labels, s.created_at::float8 AS "createdAt",
  s.updated_at::float8 AS "updatedAt", s.archived_at::float8 AS "archivedAt",
  (SELECT ${stored} FROM events e WHERE e.stream_id = s.session_id AND e.seq = 1) AS opened,
  (SELECT ${stored} FROM events e WHERE e.stream_id = s.session_id AND e.type = 'StatusChanged'
    ORDER BY e.seq DESC LIMIT 1) AS shown,
  (SELECT ${stored} FROM events e WHERE e.stream_id = s.session_id AND e.type = 'SandboxCreated'
    ORDER BY e.seq DESC LIMIT 1) AS sandbox,
  (SELECT json_agg(${stored} ORDER BY e.seq) FROM events e WHERE e.stream_id = s.session_id
    AND e.type IN (${setupTags.map((tag) => `'${tag}'`).join(", ")})) AS changes`

const isTag = <Tag extends SessionEvent["_tag"]>(event: SessionEvent | null, tag: Tag): event is EventOf<Tag> =>
  event?._tag === tag

/** An agent whose log can't be read any more still has a name in lists. */
const unreadable = (opened: EventOf<"SessionOpened">): SessionAgent => sessionAgentOf(opened.agent)!

/** Reasons to be idle that leave messages in the queue. */
const withWork = new Set(["requires_action", "budget_reached", "paused"])

const isResting = ({ status, statusReason }: SessionRow): boolean =>
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

const shownAs = (row: SessionRow, now: number): SessionView | null => {
  const opened = eventOf(row.opened)
  if (!isTag(opened, "SessionOpened")) return null
  const shown = row.shown === null ? null : eventOf(row.shown)
  const sandbox = row.sandbox === null ? null : eventOf(row.sandbox)
  const totals = isTag(shown, "StatusChanged") ? shown.totals : noTotals
  const timed = (row.changes ?? []).flatMap((stored) => {
    const event = eventOf(stored)
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
    resources: setup.resources.filter((one) => !isHostDirectory(one)).map(resourceOut),
    vault_ids: opened.vaultIds,
    budget: budgetOut(budget),
    outcome_evaluations: outcomesOf(timed),
    stats: {
      active_seconds: totals.activeMs / 1_000,
      duration_seconds: Math.max(0, ended - row.createdAt) / 1_000
    },
    usage: usageOut(totals),
    deployment_id: opened.deploymentId,
    troupe: {
      project_id: opened.projectId,
      labels: row.labels,
      limits: limitsOut(budget),
      policies: setup.policies,
      directory: directoryOut(setup.resources),
      lifecycle: lifecycleOut(opened.lifecycle),
      sandbox: isTag(sandbox, "SandboxCreated") ? { backend: sandbox.backend, isolation: sandbox.isolation } : null
    },
    created_at: timeOf(row.createdAt),
    updated_at: timeOf(row.updatedAt),
    archived_at: row.archivedAt === null ? null : timeOf(row.archivedAt)
  }
  const around = { primary: opened.threadId, agentName: opened.agent.name }
  return { session, resting: isResting(row), around, children: childrenOf(timed, setup, session.agent) }
}

/** Null where its log does not even say how it began. */
export const viewOf = (row: SessionRow, now: number): SessionView | null => {
  try {
    return shownAs(row, now)
  } catch {
    return null
  }
}
