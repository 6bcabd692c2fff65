import type { OpenSession } from "./SessionState.ts"
import { awaiting, sessionStatus } from "./standing.ts"
import { tokens } from "./Usage.ts"

/** A session as lists show it. Written only when something here changes. */
export interface SummaryRow {
  readonly status: string
  readonly statusReason: string | null
  readonly title: string | null
  readonly agentId: string
  readonly agentVersion: number
  readonly environmentId: string | null
  readonly projectId: string | null
  readonly parentId: string | null
  readonly deploymentId: string | null
  readonly origin: string
  readonly createdBy: string
  readonly endUser: string | null
  readonly visibility: string
  readonly externalThreadKey: string | null
  readonly labels: ReadonlyArray<string>
  readonly metadata: Readonly<Record<string, string>>
  /** Null while a price is unknown. */
  readonly costMicroUsd: number | null
  readonly tokens: number
  readonly turns: number
  /** Approvals, questions and results that somebody owes. */
  readonly openRequests: number
  readonly createdAt: number
  /** When one of the fields above changed last. */
  readonly updatedAt: number
  readonly archivedAt: number | null
  readonly deletedAt: number | null
}

/** Counted in threads that rest and in those that run alike: other calls of a batch may still be at work. */
const openRequests = ({ ended, threads }: OpenSession): number => {
  let open = 0
  if (ended !== null) return open
  for (const { archived, queue, retry, turn } of threads) {
    if (archived) continue
    if (turn === null) open += retry === null && queue[0]?.needsApproval === true ? 1 : 0
    else open += turn.phase._tag === "Deciding" ? turn.phase.callIds.length : awaiting(turn).length
  }
  return open
}

/** The row that a session's list shows for it. */
export const summarize = (session: OpenSession, updatedAt: number): SummaryRow => {
  const { status, stop } = sessionStatus(session)
  const { origin } = session
  return {
    status,
    statusReason: stop === null ? null : stop.type,
    title: session.title,
    agentId: session.agent.agentId,
    agentVersion: session.agent.version,
    environmentId: session.environmentId,
    projectId: session.projectId,
    parentId: origin.type === "parent" || origin.type === "fork" ? origin.sessionId : null,
    deploymentId: session.deploymentId,
    origin: origin.type,
    createdBy: session.createdBy,
    endUser: session.endUser,
    visibility: session.visibility,
    externalThreadKey: session.externalThreadKey,
    labels: session.labels,
    metadata: session.metadata,
    costMicroUsd: session.totals.unpricedRequests > 0 ? null : session.totals.costMicroUsd,
    tokens: tokens(session.totals),
    turns: session.turns,
    openRequests: openRequests(session),
    createdAt: session.createdAt,
    updatedAt,
    archivedAt: session.ended === "archived" ? session.endedAt : null,
    deletedAt: session.ended === "deleted" ? session.endedAt : null
  }
}

const sameList = (a: ReadonlyArray<string>, b: ReadonlyArray<string>) =>
  a === b || (a.length === b.length && a.every((value, index) => value === b[index]))

const sameMap = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>) =>
  a === b ||
  (sameList(Object.keys(a).sort(), Object.keys(b).sort()) && Object.keys(a).every((key) => a[key] === b[key]))

/** Whether a list would show the same, whenever it was written. */
export const equals = (a: SummaryRow, b: SummaryRow): boolean =>
  (Object.keys(a) as Array<keyof SummaryRow>).every((key) => {
    if (key === "updatedAt") return true
    if (key === "labels") return sameList(a.labels, b.labels)
    if (key === "metadata") return sameMap(a.metadata, b.metadata)
    return a[key] === b[key]
  })
