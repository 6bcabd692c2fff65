import { Result } from "effect"
import { consumed } from "./Budget.ts"
import { Draft } from "./decide/Draft.ts"
import { interruptTurn } from "./decide/ending.ts"
import { lose, record } from "./decide/frames.ts"
import { inputs, retry, wake } from "./decide/people.ts"
import { approve, edit, move, steer, withdraw } from "./decide/queue.ts"
import { settle } from "./decide/settle.ts"
import { CommandRejected, type Command, type CommandOf, type SessionCommand } from "./SessionCommand.ts"
import type { SessionEvent } from "./SessionEvent.ts"
import type { SessionState } from "./SessionState.ts"
import { held, sessionStatus } from "./standing.ts"

const open = (draft: Draft, command: CommandOf<"Open">): void => {
  if (draft.state._tag === "Open") draft.refuse({ _tag: "AlreadyOpen" })
  const { _tag, history, inputs: first, ...opening } = command
  draft.emit({ _tag: "SessionOpened", ...opening, at: draft.at })
  if (history.length > 0) draft.emit({ _tag: "HistoryCopied", threadId: command.threadId, items: history })
  inputs(draft, first)
}

const busy = (draft: Draft): boolean => {
  const { status } = sessionStatus(draft.session)
  return status === "running" || status === "rescheduling"
}

const end = (draft: Draft, event: "SessionArchived" | "SessionDeleted"): void => {
  if (busy(draft)) draft.refuse({ _tag: "Busy" })
  for (const { threadId } of draft.session.threads) {
    const thread = draft.session.threads.find((one) => one.threadId === threadId)!
    if (thread.turn !== null) interruptTurn(draft, thread, null)
  }
  draft.emit({ _tag: event, at: draft.at })
}

const changeBudget = (draft: Draft, { budget }: CommandOf<"ChangeBudget">): void => {
  if (draft.session.budget.length === 0) draft.refuse({ _tag: "BudgetCreateOnly" })
  for (const { max, metric, scope } of budget) {
    const used = scope === "session" ? consumed(draft.session.totals, metric) : 0
    if (max <= used) draft.refuse({ _tag: "BudgetNotRaised", metric, consumed: used })
  }
  draft.emit({ _tag: "BudgetChanged", budget })
}

const startAttempt = (draft: Draft, command: CommandOf<"StartAttempt">): void => {
  const { attemptId, digests, runnerId, threadId, turnId } = command
  const { thread, turn } = draft.running(turnId)
  const { phase } = turn
  const due = phase._tag === "Placing" && (phase.notBefore ?? 0) <= draft.at && held(draft.session, thread) === null
  if (!due || thread.threadId !== threadId) draft.refuse({ _tag: "NotDue" })
  const number = turn.attempts + 1
  draft.emit({ _tag: "AttemptStarted", threadId, turnId, attemptId, runnerId, number, digests, at: draft.at })
}

const redaction = (draft: Draft, { reason, replacements, seqs }: CommandOf<"RequestRedaction">): void => {
  if (seqs.length !== replacements.length) {
    draft.refuse({ _tag: "Invalid", field: "replacements", detail: "is not as long as seqs" })
  }
  for (const seq of seqs) if (seq < 1 || draft.session.redactions.includes(seq)) draft.refuse({ _tag: "UnknownSeq", seq })
  const first = Math.min(...seqs)
  const forks = draft.session.forks.filter((fork) => fork.seq >= first).map((fork) => fork.childId)
  draft.emit({ _tag: "RedactionRequested", seqs, reason, replacements, forks })
}

/** What an archived session still takes: nothing that would change the conversation. A deleted one takes only the last two. */
const afterEnd: ReadonlyArray<SessionCommand["_tag"]> = [
  "Delete",
  "NoteFork",
  "RequestRedaction",
  "Note",
  "RecordFrames",
  "ConfirmRedaction",
  "Wake"
]

const rule = (draft: Draft, command: SessionCommand): void => {
  if (command._tag === "Open") return open(draft, command)
  const { session } = draft
  if (session.ended !== null) {
    const allowed = session.ended === "deleted" ? afterEnd.slice(-2) : afterEnd
    if (!allowed.includes(command._tag)) draft.refuse({ _tag: "Ended" })
  }
  switch (command._tag) {
    case "Send":
      return inputs(draft, command.inputs)
    case "EditTurn":
      return edit(draft, command)
    case "MoveTurn":
      return move(draft, command)
    case "WithdrawTurn":
      return withdraw(draft, command)
    case "ApproveTurn":
      return approve(draft, command)
    case "SteerTurn":
      return steer(draft, command)
    case "RetryTurn":
      return retry(draft, command)
    case "Pause":
      return draft.emit({ _tag: "SessionPaused", at: draft.at })
    case "Resume":
      return draft.emit({ _tag: "SessionResumed", at: draft.at })
    case "Update": {
      const { _tag, ...changes } = command
      return draft.emit({ _tag: "SessionUpdated", ...changes, at: draft.at })
    }
    case "Reconfigure": {
      if (busy(draft)) draft.refuse({ _tag: "Busy" })
      const { changes, digest, threadId } = command
      const { threadId: target } = draft.thread(threadId)
      return draft.emit({ _tag: "AgentReconfigured", threadId: target, changes, digest })
    }
    case "ChangeBudget":
      return changeBudget(draft, command)
    case "OpenThread": {
      const { _tag, ...thread } = command
      if (session.threads.some((one) => one.threadId === thread.threadId)) {
        draft.refuse({ _tag: "IdTaken", id: thread.threadId })
      }
      if (thread.parentThreadId !== null) draft.thread(thread.parentThreadId)
      return draft.emit({ _tag: "ThreadOpened", ...thread })
    }
    case "ArchiveThread": {
      const thread = draft.thread(command.threadId)
      if (thread.threadId === session.primary) {
        draft.refuse({ _tag: "Invalid", field: "threadId", detail: "is the primary thread" })
      }
      if (thread.turn !== null || thread.queue.length > 0) draft.refuse({ _tag: "Busy" })
      return draft.emit({ _tag: "ThreadArchived", threadId: thread.threadId })
    }
    case "SetTimer": {
      if (session.timers.some((timer) => timer.timerId === command.timerId)) {
        draft.refuse({ _tag: "IdTaken", id: command.timerId })
      }
      const { _tag, ...timer } = command
      return draft.emit({ _tag: "TimerSet", ...timer })
    }
    case "CancelTimer": {
      const { timerId } = command
      if (!session.timers.some((timer) => timer.timerId === timerId)) draft.refuse({ _tag: "UnknownTimer", timerId })
      return draft.emit({ _tag: "TimerCancelled", timerId })
    }
    case "NoteFork":
      return draft.emit({ _tag: "ForkPointed", childId: command.childId, seq: command.seq })
    case "RequestRedaction":
      return redaction(draft, command)
    case "Archive":
      return end(draft, "SessionArchived")
    case "Delete":
      return end(draft, "SessionDeleted")
    case "StartAttempt":
      return startAttempt(draft, command)
    case "NoteWaiting": {
      const { reason, threadId, turnId } = command
      const { turn } = draft.running(turnId)
      if (turn.phase._tag !== "Placing") draft.refuse({ _tag: "NotDue" })
      else if (turn.phase.waiting !== reason) {
        draft.emit({ _tag: "TurnWaiting", threadId, turnId, reason, at: draft.at })
      }
      return
    }
    case "RecordFrames":
      return record(draft, command)
    case "LoseAttempt":
      return lose(draft, command)
    case "ConfirmRedaction": {
      const seqs = command.seqs.filter((seq) => session.redactions.includes(seq))
      return seqs.length === 0 ? undefined : draft.emit({ _tag: "RedactionApplied", seqs })
    }
    case "Note":
      return draft.emit(command.event)
    case "Wake":
      return wake(draft)
  }
}

export interface Decided {
  readonly events: ReadonlyArray<SessionEvent>
  /** Where they lead. */
  readonly state: SessionState
}

/** Decides, and says where the decision leads: what the events would fold to. */
export const plan = (state: SessionState, command: Command): Result.Result<Decided, CommandRejected> => {
  const draft = new Draft(state, command)
  try {
    rule(draft, command.body)
    settle(draft)
    return Result.succeed(draft)
  } catch (error) {
    if (error instanceof CommandRejected) return Result.fail(error)
    throw error
  }
}

/** The events that a command leads to from a state, or why it is refused. Looks at nothing else. */
export const decide = (
  state: SessionState,
  command: Command
): Result.Result<ReadonlyArray<SessionEvent>, CommandRejected> => Result.map(plan(state, command), ({ events }) => events)
