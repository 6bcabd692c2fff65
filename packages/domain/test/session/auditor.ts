import { Limits } from "../../src/Limits.ts"
import { consumed } from "../../src/session/Budget.ts"
import { expiresAt, isDone } from "../../src/session/rest.ts"
import type { SessionEvent } from "../../src/session/SessionEvent.ts"
import type { OpenSession, SessionState, Thread } from "../../src/session/SessionState.ts"
import {
  awaiting,
  held,
  limitKey,
  sessionStatus,
  statusText,
  threadStatus,
  wakeAt
} from "../../src/session/standing.ts"
import { addUsage, noTotals, type Totals } from "../../src/session/Usage.ts"

/** What is open in one turn, as the log alone tells it. */
interface OpenTurn {
  readonly turnId: string
  readonly requests: Set<string>
  readonly calls: Set<string>
  readonly subagents: Set<string>
  readonly interrupts: Set<string>
}

function must(promise: boolean, broken: string): asserts promise {
  if (!promise) throw new Error(broken)
}

const live = (session: OpenSession, thread: Thread): boolean => {
  const phase = thread.turn?.phase._tag
  return phase === "Working" || (phase === "Placing" && held(session, thread) === null)
}

/** Not only live, but without a time to wait for first. */
const liveNow = (session: OpenSession, thread: Thread): boolean => {
  const phase = thread.turn?.phase
  return live(session, thread) && (phase?._tag !== "Placing" || phase.notBefore === null)
}

const same = (a: Totals, b: Totals): boolean =>
  Object.entries(a).every(([name, sum]) => name === "activeMs" || sum === b[name as keyof Totals])

/** Reads a log as it grows and the states it leads to, and fails at the first thing that may never be. */
export class Auditor {
  private readonly turns = new Map<string, OpenTurn>()
  private readonly frames = new Map<string, number>()
  private readonly started = new Set<string>()
  private readonly taken = new Set<string>()
  /** Messages without a place among what readers see, and the turns they would make. */
  private readonly waiting = new Map<string, string>()
  /** System messages without a place yet, by the input that they came with. */
  private readonly behind = new Map<string, string>()
  private last: SessionEvent | undefined
  private sums: Totals = noTotals

  /** A command led from one state to another by these events. */
  step(before: SessionState, events: ReadonlyArray<SessionEvent>, after: SessionState): void {
    for (const event of events) {
      this.read(event)
      this.last = event
    }
    if (after._tag === "NotOpened") return must(events.length === 0, "something happened before the session opened")
    this.rests(after)
    must(same(after.totals, this.sums), "totals are not the sum of what was recorded")
    if (before._tag === "NotOpened") return
    this.grows(before, after)
    const told = events.some((event) => event._tag === "StatusChanged")
    must(told === (before.shown !== after.shown), "what is shown changes by StatusChanged alone")
    must(
      !told || JSON.stringify(before.shown) !== JSON.stringify(after.shown),
      "a status is recorded that did not change"
    )
  }

  /** After a wake-up nothing is due any more. */
  woken(session: OpenSession, now: number): void {
    const { ended, threads, timers } = session
    if (ended !== null) return
    must((expiresAt(session) ?? now + 1) > now, "a session outlives its time")
    must(
      timers.every((timer) => timer.dueAt > now),
      "a timer is due after a wake-up"
    )
    for (const { turn } of threads) {
      must(turn === null || turn.interrupt === null || turn.interrupt.deadline > now, "an interrupt is overdue")
      const due = turn?.calls.some((call) => call.awaits !== "nothing" && (call.expiresAt ?? now + 1) <= now)
      must(due !== true, "a call is waited for beyond its time")
    }
  }

  /** Everything has come to rest: nothing may be left open. */
  end(session: OpenSession): void {
    must(!session.threads.some((thread) => live(session, thread)), "a turn is live after the end")
    if (session.ended !== null) return
    for (const { queue, turn } of session.threads) {
      must(turn === null, "a turn is left over")
      must(queue.length === 0, "the queue is not empty")
    }
    must(this.waiting.size === 0, "a message was neither taken nor withdrawn")
    must(this.behind.size === 0, "a system message never got its place")
  }

  private read(event: SessionEvent): void {
    if ("frame" in event && event.frame !== null && event.attemptId !== null) {
      must(event.frame === (this.frames.get(event.attemptId) ?? 0) + 1, "frames have a hole or a repeat")
      this.frames.set(event.attemptId, event.frame)
    }
    const turn = "threadId" in event && event.threadId !== null ? this.turns.get(event.threadId) : undefined
    switch (event._tag) {
      case "MessageReceived":
        this.waiting.set(event.inputId, event.turnId)
        return
      case "ThreadMessaged":
        must(event.fromThreadId !== event.threadId, "a thread talks to itself")
        this.waiting.set(event.messageId, event.turnId)
        return
      case "TurnWithdrawn":
        for (const [inputId, turnId] of this.waiting) {
          if (turnId !== event.turnId) continue
          this.waiting.delete(inputId)
          this.behind.delete(inputId)
        }
        return
      case "SystemMessageQueued":
        this.behind.set(event.follows, event.inputId)
        return
      case "SystemMessageReceived": {
        const [follows] = [...this.behind].find(([, inputId]) => inputId === event.inputId) ?? []
        if (follows === undefined) return
        const { last } = this
        const isBehind =
          last?._tag === "MessageTaken"
            ? last.inputId === follows
            : last?._tag === "SystemMessageReceived" ||
              (last !== undefined && "inputIds" in last && last.inputIds.includes(follows as never))
        must(isBehind, "a system message does not stand behind what it came with")
        this.behind.delete(follows)
        return
      }
      case "MessageTaken":
        must(!this.taken.has(event.inputId), "a message is taken twice")
        this.waiting.delete(event.inputId)
        this.taken.add(event.inputId)
        return
      case "TurnStarted":
      case "TurnRetried": {
        must(turn === undefined, "a thread has two live turns")
        this.turns.set(event.threadId, {
          turnId: event.turnId,
          requests: new Set(),
          calls: new Set(),
          subagents: new Set(),
          interrupts: new Set()
        })
        return
      }
      case "TurnInterrupted":
      case "TurnCompleted":
        for (const inputId of event.inputIds) turn?.interrupts.delete(inputId)
        return this.over(turn, event)
      case "TurnFailed":
        return this.over(turn, event)
      case "InterruptRequested":
        if (event.turnId !== null) turn?.interrupts.add(event.inputId)
        return
      case "SubagentStarted":
        must(turn?.subagents.has(event.subagentId) === false, "a sub-agent starts twice, or outside of a turn")
        turn.subagents.add(event.subagentId)
        return
      case "SubagentEnded":
        must(turn?.subagents.delete(event.subagentId) === true, "a sub-agent ends that does not work")
        return
      case "ModelRequestStarted":
        turn?.requests.add(event.requestId)
        return
      case "ModelRequestEnded":
        must(turn?.requests.delete(event.requestId) === true, "a model request ends twice, or outside its turn")
        this.sums = addUsage(this.sums, event.usage)
        return
      case "ToolRequested":
        must(turn?.calls.has(event.callId) === false, "a call is requested twice")
        turn.calls.add(event.callId)
        return
      case "ToolStarted":
        must(turn?.calls.has(event.callId) === true, "a call starts that is not open")
        must(!this.started.has(event.callId), "a call starts twice")
        this.started.add(event.callId)
        this.sums = { ...this.sums, toolCalls: this.sums.toolCalls + 1 }
        return
      case "ToolFinished":
      case "ToolAnswered":
      case "QuestionAnswered":
        must(turn?.calls.delete(event.callId) === true, "a call has two outcomes")
        return
    }
  }

  private over(turn: OpenTurn | undefined, event: { readonly threadId: string; readonly turnId: string }): void {
    must(turn?.turnId === event.turnId, "a turn ends that was not running")
    must(turn.requests.size === 0, "a model request is open after its turn")
    must(turn.calls.size === 0, "a call is open after its turn")
    must(turn.subagents.size === 0, "a sub-agent outlives its turn")
    must(turn.interrupts.size === 0, "an interrupt was never taken up")
    this.turns.delete(event.threadId)
  }

  /** A settled session never rests where it could go on, and shows what it is. */
  private rests(session: OpenSession): void {
    const { budget, ended, redactions, resources, shown, threads } = session
    const status = sessionStatus(session)
    const now = threads.some((thread) => liveNow(session, thread))
    if (ended === null) {
      must((status.status === "running") === now, "running does not mean that a turn is live")
      const soon = threads.some((thread) => live(session, thread))
      must(!isDone(session), "a session that is done is still there")
      must(status.status !== "rescheduling" || soon, "rescheduling does not mean that a turn will be live")
    } else must(!now, "an ended session runs")
    must((wakeAt(session) === 0) === (now || redactions.length > 0), "it is not woken now exactly if something is live")
    for (const limit of ended === null ? budget : []) {
      const told = (scope: { readonly totals: Totals; readonly announced: ReadonlyArray<string> } | null) =>
        scope === null || consumed(scope.totals, limit) < limit.max || scope.announced.includes(limitKey(limit))
      const scopes = limit.scope === "session" ? [session] : threads.map(({ turn }) => turn)
      must(scopes.every(told), "a limit is reached and nobody was told")
    }
    must(threads.filter((thread) => !thread.archived).length <= Limits.openThreadsMax, "too many threads are open")
    must(resources.length <= Limits.resourcesMax, "there are too many resources")
    must(new Set(resources).size === resources.length, "a resource is there twice")
    must(shown.session === statusText(status), "the session's status is not recorded")
    for (const thread of threads) {
      const { archived, inbox, queue, threadId, turn } = thread
      must(shown.threads[threadId] === statusText(threadStatus(session, thread)), "a thread's status is not recorded")
      must(inbox.length === 0, "a message has no place")
      must(turn?.phase._tag === "Working" || (turn?.interrupt ?? null) === null, "an interrupt waits for nobody")
      must(turn?.phase._tag === "Working" || (turn?.subagents ?? []).length === 0, "a sub-agent outlives its attempt")
      if (ended !== null || archived || held(session, thread) !== null) continue
      must(turn !== null || queue[0]?.needsApproval !== false, "the next turn could start")
      must(turn?.phase._tag !== "Suspended" || awaiting(turn).length > 0, "a turn could go on")
    }
  }

  private grows(before: OpenSession, after: OpenSession): void {
    for (const [name, sum] of Object.entries(before.totals)) {
      must(after.totals[name as keyof Totals] >= sum, `${name} decreases`)
    }
    for (const { queue, queueVersion, threadId } of after.threads) {
      const old = before.threads.find((one) => one.threadId === threadId)
      if (old === undefined || old.queue === queue) continue
      must(queueVersion > old.queueVersion, "a queue changed and its version did not grow")
    }
  }
}
