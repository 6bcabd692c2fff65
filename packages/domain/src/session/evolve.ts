import type { AttemptId, ThreadId } from "../Ids.ts"
import { addUsage, noTotals, type Totals } from "./Usage.ts"
import type { JsonObject } from "../Json.ts"
import type { EventOf, SessionEvent } from "./SessionEvent.ts"
import { initial, type Call, type OpenSession, type QueuedTurn, type SessionState, type Thread, type Turn } from "./SessionState.ts"
import { limitKey, sessionStatus, threadStatus } from "./standing.ts"
import type { StopReason } from "./Status.ts"

const onThread = (session: OpenSession, threadId: ThreadId, change: (thread: Thread) => Thread): OpenSession => ({
  ...session,
  threads: session.threads.map((thread) => (thread.threadId === threadId ? change(thread) : thread))
})

const onTurn = (session: OpenSession, threadId: ThreadId, change: (turn: Turn) => Turn): OpenSession =>
  onThread(session, threadId, (thread) => (thread.turn === null ? thread : { ...thread, turn: change(thread.turn) }))

const onCall = (session: OpenSession, threadId: ThreadId, callId: string, change: (call: Call) => Call): OpenSession =>
  onTurn(session, threadId, (turn) => ({
    ...turn,
    calls: turn.calls.map((call) => (call.callId === callId ? change(call) : call))
  }))

const closeCall = (session: OpenSession, threadId: ThreadId, callId: string): OpenSession =>
  onTurn(session, threadId, (turn) => ({ ...turn, calls: turn.calls.filter((call) => call.callId !== callId) }))

/** A frame was recorded: the attempt's mark moves. */
const framed = (session: OpenSession, event: { threadId: ThreadId; frame: number | null }): OpenSession =>
  event.frame === null
    ? session
    : onTurn(session, event.threadId, (turn) =>
        turn.phase._tag === "Working" && turn.phase.frame < event.frame!
          ? { ...turn, phase: { ...turn.phase, frame: event.frame! } }
          : turn
      )

/** Adds to the sums of the session and of the turn alike. */
const count = (session: OpenSession, threadId: ThreadId, add: (totals: Totals) => Totals): OpenSession =>
  onTurn({ ...session, totals: add(session.totals) }, threadId, (turn) => ({ ...turn, totals: add(turn.totals) }))

/** An attempt stopped working: its time counts, and it is remembered for frames that come late. */
const stopWork = (session: OpenSession, threadId: ThreadId, at: number): OpenSession => {
  const phase = turnOf(session, threadId)?.phase
  if (phase?._tag !== "Working") return session
  const worked = Math.max(0, at - phase.startedAt)
  const attemptId: AttemptId = phase.attemptId
  return onThread(
    count(session, threadId, (totals) => ({ ...totals, activeMs: totals.activeMs + worked })),
    threadId,
    (one) => ({ ...one, ended: { attemptId, lateRecorded: false } })
  )
}

const turnOf = (session: OpenSession, threadId: ThreadId): Turn | null =>
  session.threads.find((thread) => thread.threadId === threadId)?.turn ?? null

/** A turn's own limits begin anew with the next one. */
const forgetTurnLimits = (session: OpenSession): OpenSession => {
  const stays = (key: string) => !key.startsWith("turn:")
  return session.announced.length === 0 && session.acknowledged.length === 0
    ? session
    : { ...session, announced: session.announced.filter(stays), acknowledged: session.acknowledged.filter(stays) }
}

const endTurn = (session: OpenSession, threadId: ThreadId, at: number, stop: StopReason): OpenSession =>
  onThread(forgetTurnLimits(stopWork(session, threadId, at)), threadId, (thread) => ({
    ...thread,
    turn: null,
    stop,
    // What no model request has seen goes back to the queue, by the events that follow.
    inbox: [...thread.inbox, ...(thread.turn?.steers ?? [])]
  }))

const inPhase = (session: OpenSession, threadId: ThreadId, phase: Turn["phase"]): OpenSession =>
  onTurn(session, threadId, (turn) => ({ ...turn, phase }))

const onQueue = (
  session: OpenSession,
  event: { readonly threadId: ThreadId; readonly queueVersion: number },
  change: (queue: Thread["queue"]) => Thread["queue"]
): OpenSession =>
  onThread(session, event.threadId, (thread) => ({
    ...thread,
    queue: change(thread.queue),
    queueVersion: event.queueVersion
  }))

const newTurn = (event: EventOf<"TurnStarted">): Turn => ({
  turnId: event.turnId,
  overrides: event.overrides,
  phase: placing,
  attempts: 0,
  failures: 0,
  calls: [],
  requests: [],
  steers: [],
  interrupt: null,
  totals: noTotals
})

const grantKey = (call: Call): string => call.name

const confirmed = (session: OpenSession, event: EventOf<"ToolConfirmed">): OpenSession => {
  const { decision } = event
  const granted = session.threads
    .find((thread) => thread.threadId === event.threadId)
    ?.turn?.calls.find((call) => call.callId === event.callId)
  const next = onCall(session, event.threadId, event.callId, (call) => ({
    ...call,
    awaits: "nothing",
    expiresAt: null,
    status: decision.type === "deny" ? "denied" : decision.type === "expired" ? "expired" : "approved",
    message: decision.type === "deny" ? decision.message : call.message,
    inputDigest: decision.type === "allow_edited" ? decision.inputDigest : call.inputDigest,
    editedInput: decision.type === "allow_edited" ? decision.input : null
  }))
  return decision.type === "allow_session" && granted !== undefined && !next.grants.includes(grantKey(granted))
    ? { ...next, grants: [...next.grants, grantKey(granted)] }
    : next
}

const placing = { _tag: "Placing", notBefore: null, waiting: null } as const

const opened = (event: EventOf<"SessionOpened">): OpenSession => ({
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
  paused: false,
  threads: [newThread(event.threadId, "primary", null)],
  totals: noTotals,
  budget: event.budget,
  announced: [],
  acknowledged: [],
  turns: 0,
  sandbox: null,
  checkpoint: null,
  grants: [],
  timers: [],
  forks: [],
  redactions: [],
  shown: { session: "", threads: {} }
})

const newThread = (threadId: ThreadId, name: string, parentThreadId: ThreadId | null): Thread => ({
  threadId,
  name,
  parentThreadId,
  archived: false,
  inbox: [],
  queue: [],
  queueVersion: 0,
  turn: null,
  stop: { type: "end_turn" },
  failed: null,
  ended: null
})

/** All statuses as they stand: what has been recorded once `StatusChanged` says them. */
const show = (session: OpenSession): OpenSession => ({
  ...session,
  shown: {
    session: JSON.stringify(sessionStatus(session)),
    threads: Object.fromEntries(
      session.threads.map((thread) => [thread.threadId, JSON.stringify(threadStatus(session, thread))])
    )
  }
})

const open = (session: OpenSession, event: SessionEvent): OpenSession => {
  switch (event._tag) {
    case "SessionOpened":
    case "HistoryCopied":
    case "AgentReconfigured":
    case "ResourceAdded":
    case "ResourceRemoved":
    case "ResourceRefreshed":
    case "SystemMessageReceived":
    case "ThreadMessaged":
      return session
    case "ForkPointed":
      return { ...session, forks: [...session.forks, { childId: event.childId, seq: event.seq }] }
    case "SessionUpdated":
      return {
        ...session,
        title: event.title === undefined ? session.title : event.title,
        metadata: event.metadata ?? session.metadata,
        labels: event.labels ?? session.labels,
        visibility: event.visibility ?? session.visibility
      }
    case "BudgetReached":
      return { ...session, announced: [...session.announced, ...event.limits.map(limitKey)] }
    case "BudgetChanged":
      return { ...session, budget: event.budget, announced: [], acknowledged: [] }
    case "SessionPaused":
      return { ...session, paused: true }
    case "SessionResumed":
      return { ...session, paused: false, acknowledged: session.announced }
    case "SessionArchived":
      return { ...session, ended: "archived", endedAt: event.at }
    case "SessionDeleted":
      return { ...session, ended: "deleted", endedAt: event.at }
    case "RedactionRequested":
      return { ...session, redactions: [...session.redactions, ...event.seqs] }
    case "RedactionApplied":
      return { ...session, redactions: session.redactions.filter((seq) => !event.seqs.includes(seq)) }
    case "StatusChanged":
      return show(session)
    case "ThreadOpened":
      return {
        ...session,
        threads: [...session.threads, newThread(event.threadId, event.name, event.parentThreadId)]
      }
    case "ThreadArchived":
      return onThread(session, event.threadId, (thread) => ({ ...thread, archived: true }))
    case "TimerSet":
      return { ...session, timers: [...session.timers, { timerId: event.timerId, dueAt: event.dueAt }] }
    case "TimerFired":
    case "TimerCancelled":
      return { ...session, timers: session.timers.filter((timer) => timer.timerId !== event.timerId) }
    case "SandboxCreated":
    case "SandboxRestored":
      return {
        ...session,
        sandbox: { sandboxId: event.sandboxId, runnerId: event.runnerId, backend: event.backend, live: true }
      }
    case "SandboxLost":
      return session.sandbox?.sandboxId === event.sandboxId
        ? { ...session, sandbox: { ...session.sandbox, live: false } }
        : session
    case "SandboxDestroyed":
      return session.sandbox?.sandboxId === event.sandboxId ? { ...session, sandbox: null } : session

    case "MessageReceived":
      return onThread(session, event.threadId, (thread) => ({
        ...thread,
        inbox: [...thread.inbox, { inputId: event.inputId, turnId: event.turnId, content: event.content }]
      }))
    case "TurnQueued":
      return onThread(session, event.threadId, (thread) => {
        const message = thread.inbox.find((one) => one.inputId === event.inputId)
        if (message === undefined) return thread
        const turn: QueuedTurn = {
          ...message,
          turnId: event.turnId,
          overrides: event.overrides,
          needsApproval: event.needsApproval
        }
        return {
          ...thread,
          inbox: thread.inbox.filter((one) => one !== message),
          queue: event.place === "back" ? [...thread.queue, turn] : [turn, ...thread.queue],
          queueVersion: event.queueVersion
        }
      })
    case "TurnEdited":
      return onQueue(session, event, (queue) =>
        queue.map((turn) =>
          turn.turnId === event.turnId
            ? { ...turn, content: event.content ?? turn.content, overrides: event.overrides ?? turn.overrides }
            : turn
        )
      )
    case "TurnMoved":
      return onQueue(session, event, (queue) => {
        const moved = queue.filter((turn) => turn.turnId === event.turnId)
        const rest = queue.filter((turn) => turn.turnId !== event.turnId)
        const at = event.before === null ? rest.length : rest.findIndex((turn) => turn.turnId === event.before)
        return [...rest.slice(0, at), ...moved, ...rest.slice(at)]
      })
    case "TurnWithdrawn":
      return onQueue(session, event, (queue) => queue.filter((turn) => turn.turnId !== event.turnId))
    case "TurnApproved":
      return onQueue(session, event, (queue) =>
        queue.map((turn) => (turn.turnId === event.turnId ? { ...turn, needsApproval: false } : turn))
      )
    case "SteerQueued":
      return onThread(session, event.threadId, (thread) => {
        const queued = thread.queue.find((one) => one.inputId === event.inputId)
        const message = thread.inbox.find((one) => one.inputId === event.inputId) ?? queued
        if (message === undefined || thread.turn === null) return thread
        const { content, inputId, turnId } = message
        return {
          ...thread,
          inbox: thread.inbox.filter((one) => one !== message),
          queue: queued === undefined ? thread.queue : thread.queue.filter((one) => one !== queued),
          queueVersion: queued === undefined ? thread.queueVersion : thread.queueVersion + 1,
          turn: { ...thread.turn, steers: [...thread.turn.steers, { inputId, turnId, content }] }
        }
      })
    case "MessageTaken":
      return onTurn(framed(session, event), event.threadId, (turn) => ({
        ...turn,
        steers: turn.steers.filter((steer) => steer.inputId !== event.inputId)
      }))

    case "TurnStarted":
      return onThread({ ...session, turns: session.turns + 1 }, event.threadId, (thread) => ({
        ...thread,
        queue: thread.queue.filter((turn) => turn.turnId !== event.turnId),
        queueVersion: event.queueVersion,
        failed: null,
        turn: newTurn(event)
      }))
    case "TurnWaiting":
      return onTurn(session, event.threadId, (turn) =>
        turn.phase._tag === "Placing" ? { ...turn, phase: { ...turn.phase, waiting: event.reason } } : turn
      )
    case "AttemptStarted":
      return onTurn(session, event.threadId, (turn) => ({
        ...turn,
        attempts: event.number,
        phase: {
          _tag: "Working",
          attemptId: event.attemptId,
          runnerId: event.runnerId,
          frame: 0,
          startedAt: event.at
        }
      }))
    case "AttemptLost":
      return inPhase(stopWork(session, event.threadId, event.at), event.threadId, placing)
    case "TurnSuspended":
      return inPhase(stopWork(session, event.threadId, event.at), event.threadId, {
        _tag: "Suspended",
        reason: event.reason
      })
    case "TurnResumed":
      return inPhase(session, event.threadId, placing)
    case "TurnRescheduled":
      return onTurn(stopWork(session, event.threadId, event.at), event.threadId, (turn) => ({
        ...turn,
        failures: event.failures,
        phase: { ...placing, notBefore: event.notBefore }
      }))
    case "RetryAsked":
      return inPhase(stopWork(session, event.threadId, event.at), event.threadId, {
        _tag: "Deciding",
        callIds: event.callIds,
        error: event.error
      })
    case "RetryDecided":
      return inPhase(session, event.threadId, placing)
    case "InterruptRequested":
      return onTurn(session, event.threadId, (turn) =>
        event.turnId === null
          ? turn
          : {
              ...turn,
              interrupt: {
                inputIds: [...(turn.interrupt?.inputIds ?? []), event.inputId],
                deadline: turn.interrupt?.deadline ?? event.deadline
              }
            }
      )
    case "TurnInterrupted":
      return endTurn(session, event.threadId, event.at, { type: "end_turn" })
    case "TurnCompleted":
      return endTurn(
        session,
        event.threadId,
        event.at,
        event.stop === "refusal"
          ? { type: "refusal", details: event.details as JsonObject | null }
          : { type: event.stop }
      )
    case "TurnFailed":
      return onThread(
        endTurn(session, event.threadId, event.at, { type: "retries_exhausted" }),
        event.threadId,
        (thread) => ({ ...thread, failed: turnOf(session, event.threadId) })
      )
    case "TurnRetried":
      return onThread(session, event.threadId, (thread) => ({
        ...thread,
        failed: null,
        turn:
          thread.failed === null
            ? null
            : { ...thread.failed, phase: placing, failures: 0, calls: [], requests: [], steers: [], interrupt: null }
      }))
    case "AttemptTroubled":
    case "FrameNoted":
      return framed(session, event)
    case "FramesRefused":
      return onThread(session, event.threadId, (thread) => ({
        ...thread,
        ended: { attemptId: event.attemptId, lateRecorded: true }
      }))

    case "ModelRequestStarted":
      return onTurn(framed(session, event), event.threadId, (turn) => ({
        ...turn,
        requests: [...turn.requests, { requestId: event.requestId, estimate: event.estimate }]
      }))
    case "ModelRequestEnded":
      return onTurn(
        count(framed(session, event), event.threadId, (totals) => addUsage(totals, event.usage)),
        event.threadId,
        (turn) => ({ ...turn, requests: turn.requests.filter((one) => one.requestId !== event.requestId) })
      )
    case "MessageBlock":
    case "ThinkingBlock":
    case "ContextCompacted":
    case "WorkingCopyRewound":
      return framed(session, event)
    case "WorkingCopyCaptured":
      return { ...framed(session, event), checkpoint: event.checkpoint }
    case "ToolRequested":
      return onTurn(framed(session, event), event.threadId, (turn) => ({
        ...turn,
        calls: [
          ...turn.calls,
          {
            callId: event.callId,
            name: event.name,
            executor: event.executor,
            readOnly: event.readOnly,
            idempotent: event.idempotent,
            awaits: event.awaits,
            status: event.verdict.permission === "deny" ? "denied" : "requested",
            message: event.verdict.reason,
            inputDigest: event.inputDigest,
            editedInput: null,
            expiresAt: event.expiresAt
          }
        ]
      }))
    case "ToolStarted":
      return onCall(
        count(framed(session, event), event.threadId, (totals) => ({ ...totals, toolCalls: totals.toolCalls + 1 })),
        event.threadId,
        event.callId,
        (call) => ({ ...call, status: "started" })
      )
    case "ToolFinished":
      return closeCall(framed(session, event), event.threadId, event.callId)
    case "ToolConfirmed":
      return confirmed(session, event)
    case "ToolAnswered":
    case "QuestionAnswered":
      return closeCall(session, event.threadId, event.callId)
    default:
      return session
  }
}

/** What happened, applied to what was: pure and total. An event that does not fit changes nothing. */
export const evolve = (state: SessionState, event: SessionEvent): SessionState => {
  if (state._tag === "NotOpened") return event._tag === "SessionOpened" ? show(opened(event)) : state
  return open(state, event)
}

export const fold = (events: Iterable<SessionEvent>, from: SessionState = initial): SessionState => {
  let state = from
  for (const event of events) state = evolve(state, event)
  return state
}
