import { Schema } from "effect"
import type { ThreadId } from "../../Ids.ts"
import type { lifecycle as events } from "../events/lifecycle.ts"
import { AgentSnapshot } from "../Opening.ts"
import type { EventOf } from "../SessionEvent.ts"
import type { OpenSession, Thread } from "../SessionState.ts"
import { limitKey, statusText } from "../standing.ts"
import { noTotals } from "../Usage.ts"
import { type Changes, onThread, onTurn, unchanged } from "./parts.ts"

const newThread = (threadId: ThreadId, name: string, parentThreadId: ThreadId | null, agentDigest: string): Thread => ({
  threadId,
  name,
  parentThreadId,
  agentDigest,
  archived: false,
  inbox: [],
  systemMessages: [],
  queue: [],
  queueVersion: 0,
  turn: null,
  stop: { type: "end_turn" },
  last: null,
  failed: null,
  retry: null,
  ended: null
})

const isAgent = Schema.is(AgentSnapshot)

const atRest = statusText({ status: "idle", stop: { type: "end_turn" } })

export const opened = (event: EventOf<"SessionOpened">): OpenSession => ({
  _tag: "Open",
  sessionId: event.sessionId,
  workspaceId: event.workspaceId,
  primary: event.threadId,
  agent: {
    agentId: event.agent.agentId,
    version: event.agent.version,
    digest: event.agent.digest,
    model: event.agent.model.id
  },
  environmentId: event.environment?.environmentId ?? null,
  origin: event.origin,
  createdBy: event.createdBy,
  createdAt: event.at,
  projectId: event.projectId,
  deploymentId: event.deploymentId,
  endUser: event.endUser,
  externalThreadKey: event.externalThreadKey,
  visibility: event.visibility,
  lifecycle: event.lifecycle,
  title: event.title,
  metadata: event.metadata,
  labels: event.labels,
  ended: null,
  endedAt: null,
  activeAt: event.at,
  paused: false,
  threads: [newThread(event.threadId, "primary", null, event.agent.digest)],
  totals: noTotals,
  budget: event.budget,
  announced: [],
  acknowledged: [],
  turns: 0,
  sandbox: null,
  checkpoint: null,
  resources: event.resources.map(({ resourceId }) => resourceId),
  grants: [],
  timers: [],
  forks: [],
  redactions: [],
  shown: { session: atRest, threads: { [event.threadId]: atRest } }
})

interface Announcing {
  readonly announced: ReadonlyArray<string>
  readonly acknowledged: ReadonlyArray<string>
}

/** Changes what was announced and let pass: of the session, and of each running turn. */
const onLimits = (session: OpenSession, change: (scope: Announcing) => Announcing): OpenSession => ({
  ...session,
  ...change(session),
  threads: session.threads.map((thread) =>
    thread.turn === null ? thread : { ...thread, turn: { ...thread.turn, ...change(thread.turn) } }
  )
})

const shown = (session: OpenSession, event: EventOf<"StatusChanged">): OpenSession => ({
  ...session,
  activeAt: event.at,
  shown: {
    session: event.session === null ? session.shown.session : statusText(event.session),
    threads:
      event.threads.length === 0
        ? session.shown.threads
        : {
            ...session.shown.threads,
            ...Object.fromEntries(event.threads.map((thread) => [thread.threadId, statusText(thread)]))
          }
  }
})

const sandbox = (session: OpenSession, event: EventOf<"SandboxCreated"> | EventOf<"SandboxRestored">): OpenSession => ({
  ...session,
  sandbox: { sandboxId: event.sandboxId, runnerId: event.runnerId, backend: event.backend, live: true }
})

/** The agent that a thread runs from its next turn on; all threads at once are those that come later as well. */
const reconfigured = (session: OpenSession, { digest, threadId }: EventOf<"AgentReconfigured">): OpenSession =>
  threadId === null
    ? {
        ...session,
        agent: { ...session.agent, digest },
        threads: session.threads.map((thread) => ({ ...thread, agentDigest: digest }))
      }
    : onThread(session, threadId, (thread) => ({ ...thread, agentDigest: digest }))

const withoutTimer = (session: OpenSession, { timerId }: { readonly timerId: string }): OpenSession => ({
  ...session,
  timers: session.timers.filter((timer) => timer.timerId !== timerId)
})

export const lifecycle: Changes<keyof typeof events> = {
  SessionOpened: unchanged,
  HistoryCopied: unchanged,
  ForkPointed: (session, { childId, seq }) => ({ ...session, forks: [...session.forks, { childId, seq }] }),
  SessionUpdated: (session, event) => ({
    ...session,
    title: event.title === undefined ? session.title : event.title,
    metadata: event.metadata ?? session.metadata,
    labels: event.labels ?? session.labels,
    visibility: event.visibility ?? session.visibility,
    activeAt: event.at
  }),
  AgentReconfigured: reconfigured,
  ResourceAdded: (session, { resource: { resourceId } }) =>
    session.resources.includes(resourceId) ? session : { ...session, resources: [...session.resources, resourceId] },
  ResourceRemoved: (session, { resourceId }) => ({
    ...session,
    resources: session.resources.filter((one) => one !== resourceId)
  }),
  ResourceRefreshed: unchanged,
  BudgetReached: (session, { limits, threadId }) => {
    const keys = limits.map(limitKey)
    return threadId === null
      ? { ...session, announced: [...session.announced, ...keys] }
      : onTurn(session, threadId, (turn) => ({ ...turn, announced: [...turn.announced, ...keys] }))
  },
  BudgetChanged: (session, { budget }) => ({
    ...onLimits(session, () => ({ announced: [], acknowledged: [] })),
    budget
  }),
  PoliciesChanged: unchanged,
  SessionPaused: (session, { at }) => ({ ...session, paused: true, activeAt: at }),
  SessionResumed: (session, { at }) => ({
    ...onLimits(session, ({ announced }) => ({ announced, acknowledged: announced })),
    paused: false,
    activeAt: at
  }),
  SessionArchived: (session, { at }) => ({ ...session, ended: "archived", endedAt: at }),
  SessionDeleted: (session, { at }) => ({ ...session, ended: "deleted", endedAt: at }),
  RedactionRequested: (session, { seqs }) => ({ ...session, redactions: [...session.redactions, ...seqs] }),
  RedactionApplied: (session, { seqs }) => ({
    ...session,
    redactions: session.redactions.filter((seq) => !seqs.includes(seq))
  }),
  StatusChanged: shown,
  ThreadOpened: (session, { agent, name, parentThreadId, threadId }) => ({
    ...session,
    threads: [
      ...session.threads,
      newThread(threadId, name, parentThreadId, (isAgent(agent) ? agent : session.agent).digest)
    ]
  }),
  ThreadArchived: (session, { threadId }) => onThread(session, threadId, (thread) => ({ ...thread, archived: true })),
  ThreadMessaged: (session, { content, fromThreadId, messageId, threadId, turnId }) =>
    onThread(session, threadId, (thread) => ({
      ...thread,
      inbox: [...thread.inbox, { inputId: messageId, turnId, from: fromThreadId, content, overrides: {} }]
    })),
  TimerSet: (session, { dueAt, timerId }) => ({ ...session, timers: [...session.timers, { timerId, dueAt }] }),
  TimerFired: (session, event) => ({ ...withoutTimer(session, event), activeAt: event.at }),
  TimerCancelled: withoutTimer,
  SandboxCreated: sandbox,
  SandboxRestored: sandbox,
  SandboxLost: (session, { sandboxId }) =>
    session.sandbox?.sandboxId === sandboxId ? { ...session, sandbox: { ...session.sandbox, live: false } } : session,
  SandboxDestroyed: (session, { sandboxId }) =>
    session.sandbox?.sandboxId === sandboxId ? { ...session, sandbox: null } : session
}
