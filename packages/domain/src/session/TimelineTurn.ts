import type { Json, JsonObject } from "../Json.ts"
import type { Changes } from "./Changes.ts"
import type { Content } from "./Content.ts"
import { searchesIn } from "./Searches.ts"
import type { EventOf, SessionEvent } from "./SessionEvent.ts"
import type { ErrorInfo } from "./Status.ts"
import type { Usage } from "./Usage.ts"

/** A tool call with everything that became of it. Times are milliseconds since 1970. */
export interface TimelineCall {
  readonly kind: "call"
  readonly seq: number
  readonly callId: string
  readonly name: string
  readonly server: string | null
  readonly executor: EventOf<"ToolRequested">["executor"]
  readonly input: Json
  readonly editedInput: Json | null
  readonly inputDigest: string
  readonly permission: EventOf<"ToolRequested">["verdict"]["permission"]
  /** Why the policies say so. */
  readonly reason: string | null
  readonly awaits: EventOf<"ToolRequested">["awaits"]
  readonly question: JsonObject | null
  readonly decision: EventOf<"ToolConfirmed">["decision"] | null
  readonly answer: Json | null
  readonly requestedAt: number
  readonly decidedAt: number | null
  readonly startedAt: number | null
  readonly endedAt: number | null
  readonly outcome: EventOf<"ToolFinished">["outcome"] | null
  readonly content: Content
  readonly isError: boolean
  readonly durationMs: number | null
  /** How many searches of the web it made that count. */
  readonly webSearches: number
}

/** An agent that worked for the thread's own, with what came of it. */
interface TimelineSubagent {
  readonly kind: "subagent"
  readonly seq: number
  readonly at: number
  readonly subagentId: string
  readonly name: string
  readonly task: string
  readonly callId: string | null
  readonly parentId: string | null
  readonly outcome: EventOf<"SubagentEnded">["outcome"] | null
  readonly summary: string | null
  readonly durationMs: number | null
  /** What each of its own requests used; those of sub-agents that it began are not among them. */
  readonly used: ReadonlyArray<Usage>
}

/** What a turn shows, in the order in which it happened. */
export type TimelineItem =
  | {
      readonly kind: "message"
      readonly seq: number
      readonly at: number
      readonly inputId: string
      /** The thread that it comes from; null where it comes from outside. */
      readonly from: string | null
      readonly content: Content
      /** It joined a turn that ran already. */
      readonly steer: boolean
    }
  | {
      readonly kind: "text"
      readonly seq: number
      readonly at: number
      readonly blockId: string
      readonly content: Content
      readonly partial: boolean
    }
  | {
      readonly kind: "thinking"
      readonly seq: number
      readonly at: number
      readonly blockId: string
      readonly text: string | null
    }
  | TimelineCall
  | TimelineSubagent
  | {
      readonly kind: "request"
      readonly seq: number
      readonly at: number
      readonly requestId: string
      /** The sub-agent that asks; null where it is the thread's own agent. */
      readonly subagentId: string | null
      readonly model: string
      readonly outcome: EventOf<"ModelRequestEnded">["outcome"] | null
      readonly usage: Usage | null
      readonly durationMs: number | null
    }
  | {
      readonly kind: "error"
      readonly seq: number
      readonly at: number
      readonly error: ErrorInfo
      readonly retryStatus: EventOf<"AttemptTroubled">["retryStatus"]
    }
  /** It is tried again: by itself, not before a time; or because somebody said so, or is asked to. */
  | {
      readonly kind: "retry"
      readonly seq: number
      readonly at: number
      readonly why: "scheduled" | "asked" | "queued" | "decided"
      readonly notBefore: number | null
      readonly callIds: ReadonlyArray<string>
    }
  | { readonly kind: "interrupt"; readonly seq: number; readonly at: number }
  | { readonly kind: "compacted"; readonly seq: number; readonly at: number; readonly summary: Content }
  | {
      readonly kind: "rewound"
      readonly seq: number
      readonly at: number
      readonly toSeq: number
      readonly callIds: ReadonlyArray<string>
    }
  | {
      readonly kind: "captured"
      readonly seq: number
      readonly at: number
      readonly checkpoint: string
      /** Null where nothing is known of what changed. */
      readonly changes: Changes | null
    }
  /** What the platform has to say of its own work: a server that can't be reached, a file that could not be had. */
  | {
      readonly kind: "noted"
      readonly seq: number
      readonly at: number
      readonly code: string
      readonly message: string
      readonly details: JsonObject
    }

export interface TimelineAttempt {
  readonly attemptId: string
  readonly number: number
  readonly runnerId: string
  readonly startedAt: number
  readonly endedAt: number | null
  readonly end: "lost" | "suspended" | "rescheduled" | "asked" | "interrupted" | "completed" | "failed" | null
}

export interface TimelineTurn {
  readonly turnId: string
  readonly startedAt: number
  readonly endedAt: number | null
  readonly state: "placing" | "working" | "suspended" | "deciding" | "completed" | "failed" | "interrupted"
  /** Why it waits or ended: no runner, what is required, `end_turn`, `max_steps`, an error's code. */
  readonly reason: string | null
  readonly attempts: ReadonlyArray<TimelineAttempt>
  readonly items: ReadonlyArray<TimelineItem>
}

type TurnEvent = Extract<SessionEvent, { readonly turnId: unknown }>

const endAttempt = (turn: TimelineTurn, at: number, end: TimelineAttempt["end"]): TimelineTurn => ({
  ...turn,
  attempts: turn.attempts.map((attempt) => (attempt.endedAt === null ? { ...attempt, endedAt: at, end } : attempt))
})

export const show = (turn: TimelineTurn, item: TimelineItem): TimelineTurn => ({
  ...turn,
  items: [...turn.items, item]
})

const change = (
  turn: TimelineTurn,
  is: (item: TimelineItem) => boolean,
  to: (item: TimelineItem) => TimelineItem
): TimelineTurn => {
  const index = turn.items.findLastIndex(is)
  return index < 0 ? turn : { ...turn, items: turn.items.with(index, to(turn.items[index]!)) }
}

export const changeCall = (
  turn: TimelineTurn,
  callId: string,
  to: (call: TimelineCall) => Partial<TimelineCall>
): TimelineTurn =>
  change(
    turn,
    (item) => item.kind === "call" && item.callId === callId,
    (item) => ({ ...item, ...to(item as TimelineCall) }) as TimelineCall
  )

const changeSubagent = (
  turn: TimelineTurn,
  subagentId: string,
  to: (item: TimelineSubagent) => Partial<TimelineSubagent>
): TimelineTurn =>
  change(
    turn,
    (item) => item.kind === "subagent" && item.subagentId === subagentId,
    (item) => ({ ...item, ...to(item as TimelineSubagent) }) as TimelineSubagent
  )

type Outcome =
  | "editedInput"
  | "decision"
  | "answer"
  | "decidedAt"
  | "startedAt"
  | "endedAt"
  | "outcome"
  | "content"
  | "isError"
  | "durationMs"
  | "webSearches"

/** A call of which nothing has become yet. */
export const askedCall = (asked: Omit<TimelineCall, "kind" | Outcome>): TimelineCall => ({
  kind: "call",
  ...asked,
  editedInput: null,
  decision: null,
  answer: null,
  decidedAt: null,
  startedAt: null,
  endedAt: null,
  outcome: null,
  content: [],
  isError: false,
  durationMs: null,
  webSearches: 0
})

const called = (event: EventOf<"ToolRequested">, seq: number, at: number): TimelineCall =>
  askedCall({
    seq,
    callId: event.callId,
    name: event.name,
    server: event.server,
    executor: event.executor,
    input: event.input,
    inputDigest: event.inputDigest,
    permission: event.verdict.permission,
    reason: event.verdict.reason,
    awaits: event.awaits,
    question: event.question,
    requestedAt: at
  })

/** What an event changes in the turn that it names. */
export const applyToTurn = (turn: TimelineTurn, event: TurnEvent, seq: number, at: number): TimelineTurn => {
  switch (event._tag) {
    case "TurnWaiting":
      return { ...turn, reason: event.reason }
    case "MessageTaken": {
      const { content, from = null, inputId } = event
      return show(turn, { kind: "message", seq, at, inputId, from, content, steer: turn.items.length > 0 })
    }
    case "AttemptStarted": {
      const { attemptId, number, runnerId } = event
      const attempt = { attemptId, number, runnerId, startedAt: at, endedAt: null, end: null }
      return { ...turn, state: "working", reason: null, attempts: [...turn.attempts, attempt] }
    }
    case "AttemptLost":
      return { ...endAttempt(turn, at, "lost"), state: "placing", reason: event.reason }
    case "TurnSuspended":
      return { ...endAttempt(turn, at, "suspended"), state: "suspended", reason: event.reason }
    case "TurnResumed":
      return { ...turn, state: "placing", reason: null }
    case "TurnRescheduled": {
      const item = { kind: "retry", seq, at, why: "scheduled", notBefore: event.notBefore, callIds: [] } as const
      return show({ ...endAttempt(turn, at, "rescheduled"), state: "placing", reason: event.error.code }, item)
    }
    case "RetryAsked": {
      const item = { kind: "retry", seq, at, why: "asked", notBefore: null, callIds: event.callIds } as const
      return show({ ...endAttempt(turn, at, "asked"), state: "deciding", reason: event.error.code }, item)
    }
    case "RetryQueued":
      return show(turn, { kind: "retry", seq, at, why: "queued", notBefore: null, callIds: [] })
    case "RetryDecided":
    case "TurnRetried": {
      const item = { kind: "retry", seq, at, why: "decided", notBefore: null, callIds: [] } as const
      return show({ ...turn, state: "placing", reason: null, endedAt: null }, item)
    }
    case "InterruptRequested":
      return show(turn, { kind: "interrupt", seq, at })
    case "TurnInterrupted":
      return { ...endAttempt(turn, at, "interrupted"), state: "interrupted", reason: null, endedAt: at }
    case "TurnCompleted":
      return { ...endAttempt(turn, at, "completed"), state: "completed", reason: event.stop, endedAt: at }
    case "TurnFailed": {
      const { error, retryStatus } = event
      const failed = { ...endAttempt(turn, at, "failed"), state: "failed", reason: error.code, endedAt: at } as const
      return show(failed, { kind: "error", seq, at, error, retryStatus })
    }
    case "AttemptTroubled":
      return show(turn, { kind: "error", seq, at, error: event.error, retryStatus: event.retryStatus })
    case "ModelRequestStarted": {
      const { model, requestId, subagentId = null } = event
      const nothing = { outcome: null, usage: null, durationMs: null }
      return show(turn, { kind: "request", seq, at, requestId, subagentId, model, ...nothing })
    }
    case "ModelRequestEnded": {
      const { durationMs, outcome, requestId, usage } = event
      const is = (item: TimelineItem) => item.kind === "request" && item.requestId === requestId
      const by = turn.items.findLast(is)
      const ended = change(turn, is, (item) => ({ ...item, outcome, usage, durationMs }) as TimelineItem)
      return by?.kind !== "request" || by.subagentId === null
        ? ended
        : changeSubagent(ended, by.subagentId, ({ used }) => ({ used: [...used, usage] }))
    }
    case "SubagentStarted": {
      const { callId, name, parentId, subagentId, task } = event
      const nothing = { outcome: null, summary: null, durationMs: null, used: [] }
      return show(turn, { kind: "subagent", seq, at, subagentId, name, task, callId, parentId, ...nothing })
    }
    case "SubagentEnded": {
      const { durationMs, outcome, subagentId, summary } = event
      return changeSubagent(turn, subagentId, (item) => ({
        outcome,
        summary,
        durationMs: durationMs ?? at - item.at
      }))
    }
    case "MessageBlock": {
      const { blockId, content, partial } = event
      return show(turn, { kind: "text", seq, at, blockId, content, partial })
    }
    case "ThinkingBlock":
      return show(turn, { kind: "thinking", seq, at, blockId: event.blockId, text: event.text })
    case "ToolRequested":
      return show(turn, called(event, seq, at))
    case "ToolStarted":
      return changeCall(turn, event.callId, () => ({ startedAt: at }))
    case "ToolFinished": {
      const { callId, content, details, executor, isError, outcome } = event
      return changeCall(turn, callId, ({ startedAt }) => ({
        outcome,
        content,
        isError,
        endedAt: at,
        awaits: "nothing",
        durationMs: event.durationMs ?? (startedAt === null ? null : at - startedAt),
        webSearches: searchesIn(executor, details)
      }))
    }
    case "ContextCompacted":
      return show(turn, { kind: "compacted", seq, at, summary: event.summary })
    case "WorkingCopyRewound":
      return show(turn, { kind: "rewound", seq, at, toSeq: event.toSeq, callIds: event.callIds })
    case "WorkingCopyCaptured":
      return show(turn, { kind: "captured", seq, at, checkpoint: event.checkpoint, changes: event.changes ?? null })
    default:
      return turn
  }
}
