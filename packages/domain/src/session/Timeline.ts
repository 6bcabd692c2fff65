import type { Content } from "./Content.ts"
import type { Placed } from "./History.ts"
import type { TurnOverrides } from "./Input.ts"
import { type PlanStep, stepsOf } from "./Plan.ts"
import type { EventOf, SessionEvent } from "./SessionEvent.ts"
import { applyToTurn, changeCall, show, type TimelineTurn } from "./TimelineTurn.ts"

export { askedCall } from "./TimelineTurn.ts"
export type { TimelineAttempt, TimelineCall, TimelineItem, TimelineTurn } from "./TimelineTurn.ts"

/** A message that waits for its turn, or to be taken up by the one that runs. */
export interface TimelineQueued {
  readonly turnId: string
  readonly inputId: string
  /** The thread that it comes from; null where it comes from outside. */
  readonly from: string | null
  readonly content: Content
  readonly overrides: TurnOverrides
  readonly needsApproval: boolean
  readonly receivedAt: number
}

/** What a thread's agent means to do, as it said last. */
export interface TimelinePlan {
  readonly seq: number
  readonly at: number
  readonly steps: ReadonlyArray<PlanStep>
}

export interface TimelineThread {
  readonly threadId: string
  readonly name: string
  readonly parentThreadId: string | null
  readonly archived: boolean
  readonly status: string
  readonly queue: ReadonlyArray<TimelineQueued>
  readonly steers: ReadonlyArray<TimelineQueued>
  /** Received by an event whose place is said by the next one. */
  readonly inbox: ReadonlyArray<TimelineQueued>
  /** Null while there is none, or none any more. */
  readonly plan: TimelinePlan | null
  readonly turns: ReadonlyArray<TimelineTurn>
}

/** A session as people look at it. Times are milliseconds since 1970. */
export interface Timeline {
  readonly title: string | null
  readonly openedAt: number | null
  readonly endedAt: number | null
  readonly paused: boolean
  readonly status: string
  readonly totals: EventOf<"StatusChanged">["totals"] | null
  readonly threads: ReadonlyArray<TimelineThread>
  /** What concerns the session and no turn of it. */
  readonly notes: ReadonlyArray<{ readonly seq: number; readonly at: number; readonly event: SessionEvent }>
}

export const initial: Timeline = {
  title: null,
  openedAt: null,
  endedAt: null,
  paused: false,
  status: "idle",
  totals: null,
  threads: [],
  notes: []
}

const newThread = (threadId: string, name: string, parentThreadId: string | null): TimelineThread => ({
  threadId,
  name,
  parentThreadId,
  archived: false,
  status: "idle",
  queue: [],
  steers: [],
  inbox: [],
  plan: null,
  turns: []
})

const onThread = (view: Timeline, threadId: string, to: (thread: TimelineThread) => TimelineThread): Timeline => {
  const index = view.threads.findIndex((thread) => thread.threadId === threadId)
  return index < 0 ? view : { ...view, threads: view.threads.with(index, to(view.threads[index]!)) }
}

const onTurn = (thread: TimelineThread, turnId: string, to: (turn: TimelineTurn) => TimelineTurn): TimelineThread => {
  const index = thread.turns.findLastIndex((turn) => turn.turnId === turnId)
  return index < 0 ? thread : { ...thread, turns: thread.turns.with(index, to(thread.turns[index]!)) }
}

/** The turn that asked for a call is the last one that has it. */
const onCall = (thread: TimelineThread, callId: string, to: Parameters<typeof changeCall>[2]): TimelineThread => {
  const turn = thread.turns.findLast((one) => one.items.some((item) => item.kind === "call" && item.callId === callId))
  return turn === undefined ? thread : onTurn(thread, turn.turnId, (one) => changeCall(one, callId, to))
}

const without = (list: ReadonlyArray<TimelineQueued>, inputId: string) => list.filter((one) => one.inputId !== inputId)

const waiting = ({ inbox, queue, steers }: TimelineThread, inputId: string) =>
  [...inbox, ...queue, ...steers].find((one) => one.inputId === inputId)

/** Where a message that waits is now; nowhere, once it is taken up. */
const place = (thread: TimelineThread, inputId: string, where: Partial<TimelineThread>): TimelineThread => ({
  ...thread,
  inbox: without(thread.inbox, inputId),
  queue: without(thread.queue, inputId),
  steers: without(thread.steers, inputId),
  ...where
})

const receive = (
  thread: TimelineThread,
  message: Omit<TimelineQueued, "overrides" | "needsApproval">
): TimelineThread => ({
  ...thread,
  inbox: [...thread.inbox, { ...message, overrides: {}, needsApproval: false }]
})

const inThread = (thread: TimelineThread, event: SessionEvent, seq: number, at: number): TimelineThread => {
  switch (event._tag) {
    case "MessageReceived": {
      const { content, inputId, turnId } = event
      return receive(thread, { turnId, inputId, from: null, content, receivedAt: at })
    }
    case "ThreadMessaged": {
      const { content, fromThreadId, messageId, turnId } = event
      return receive(thread, { turnId, inputId: messageId, from: fromThreadId, content, receivedAt: at })
    }
    case "TurnQueued": {
      const message = waiting(thread, event.inputId)
      if (message === undefined) return thread
      const { needsApproval, overrides, turnId } = event
      const turn = { ...message, turnId, overrides, needsApproval }
      const rest = without(thread.queue, event.inputId)
      return place(thread, event.inputId, { queue: event.place === "back" ? [...rest, turn] : [turn, ...rest] })
    }
    case "SteerQueued": {
      const message = waiting(thread, event.inputId)
      const rest = without(thread.steers, event.inputId)
      return message === undefined ? thread : place(thread, event.inputId, { steers: [...rest, message] })
    }
    case "TurnEdited":
      return {
        ...thread,
        queue: thread.queue.map((turn) =>
          turn.turnId === event.turnId
            ? { ...turn, content: event.content ?? turn.content, overrides: event.overrides ?? turn.overrides }
            : turn
        )
      }
    case "TurnMoved": {
      const moved = thread.queue.filter((turn) => turn.turnId === event.turnId)
      const rest = thread.queue.filter((turn) => turn.turnId !== event.turnId)
      const found = rest.findIndex((turn) => turn.turnId === event.before)
      const to = found < 0 ? rest.length : found
      return { ...thread, queue: [...rest.slice(0, to), ...moved, ...rest.slice(to)] }
    }
    case "TurnWithdrawn":
      return { ...thread, queue: thread.queue.filter((turn) => turn.turnId !== event.turnId) }
    case "TurnApproved":
      return {
        ...thread,
        queue: thread.queue.map((turn) => (turn.turnId === event.turnId ? { ...turn, needsApproval: false } : turn))
      }
    case "TurnStarted": {
      const { turnId } = event
      const turn = {
        turnId,
        startedAt: at,
        endedAt: null,
        state: "placing",
        reason: null,
        attempts: [],
        items: []
      } as const
      return { ...thread, turns: [...thread.turns, turn], queue: thread.queue.filter((one) => one.turnId !== turnId) }
    }
    case "MessageTaken": {
      const taken = place(thread, event.inputId, {})
      return onTurn(taken, event.turnId, (turn) => applyToTurn(turn, event, seq, at))
    }
    case "ToolConfirmed": {
      const { callId, decision } = event
      const editedInput = decision.type === "allow_edited" ? decision.input : null
      return onCall(thread, callId, () => ({ decision, editedInput, decidedAt: at, awaits: "nothing" }))
    }
    case "ToolAnswered": {
      const { callId, content, isError } = event
      const outcome = isError ? "failed" : "succeeded"
      return onCall(thread, callId, () => ({ content, isError, outcome, endedAt: at, awaits: "nothing" }))
    }
    case "QuestionAnswered": {
      const { answer, callId } = event
      return onCall(thread, callId, () => ({ answer, outcome: "succeeded", endedAt: at, awaits: "nothing" }))
    }
    case "PlanUpdated": {
      const steps = stepsOf(event.items)
      return { ...thread, plan: steps.length === 0 ? null : { seq, at, steps } }
    }
    case "ThreadArchived":
      return { ...thread, archived: true }
    default:
      return "turnId" in event && event.turnId !== null
        ? onTurn(thread, event.turnId, (turn) => applyToTurn(turn, event, seq, at))
        : thread
  }
}

/** Notes name no turn: they are of what goes on in the session's own thread, or went on there last. */
const noted = (
  view: Timeline,
  { code, details, message }: EventOf<"PlatformNoted">,
  seq: number,
  at: number
): Timeline | null => {
  const primary = view.threads.find(({ parentThreadId }) => parentThreadId === null)
  const turn = primary?.turns.at(-1)
  if (primary === undefined || turn === undefined) return null
  const item = { kind: "noted", seq, at, code, message, details } as const
  return onThread(view, primary.threadId, (thread) => onTurn(thread, turn.turnId, (one) => show(one, item)))
}

const settings = (view: Timeline, event: SessionEvent, at: number): Timeline => {
  switch (event._tag) {
    case "SessionOpened": {
      const threads = [newThread(event.threadId, "primary", null)]
      return { ...view, title: event.title, openedAt: at, threads }
    }
    case "ThreadOpened":
      return { ...view, threads: [...view.threads, newThread(event.threadId, event.name, event.parentThreadId)] }
    case "SessionUpdated":
      return event.title === undefined ? view : { ...view, title: event.title }
    case "SessionPaused":
      return { ...view, paused: true }
    case "SessionResumed":
      return { ...view, paused: false }
    case "SessionArchived":
    case "SessionDeleted":
      return { ...view, endedAt: at }
    default:
      return view
  }
}

const shown = (view: Timeline, event: EventOf<"StatusChanged">): Timeline => ({
  ...view,
  status: event.session?.status ?? view.status,
  totals: event.totals,
  threads: view.threads.map((thread) => {
    const now = event.threads.find((one) => one.threadId === thread.threadId)
    return now === undefined ? thread : { ...thread, status: now.status }
  })
})

/** Shown with a call, which knows its turn, with its thread, or once it has its place: no notes of their own. */
const elsewhere: ReadonlySet<SessionEvent["_tag"]> = new Set([
  "ToolConfirmed",
  "ToolAnswered",
  "QuestionAnswered",
  "PlanUpdated",
  "SystemMessageQueued"
])

/** What the next event changes in what people see. */
export const apply = (view: Timeline, { event, recordedAt, seq }: Placed): Timeline => {
  const at = Math.floor(recordedAt / 1_000)
  if (event._tag === "StatusChanged") return shown(view, event)
  if (event._tag === "PlatformNoted") {
    const inTurn = noted(view, event, seq, at)
    if (inTurn !== null) return inTurn
  }
  let changed = settings(view, event, at)
  if ("threadId" in event && event.threadId !== null) {
    changed = onThread(changed, event.threadId, (thread) => inThread(thread, event, seq, at))
  }
  if ("turnId" in event || elsewhere.has(event._tag)) return changed
  return { ...changed, notes: [...changed.notes, { seq, at, event }] }
}
