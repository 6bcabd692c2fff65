import { Limits } from "../../Limits.ts"
import type { ThreadId } from "../../Ids.ts"
import type { Input } from "../Input.ts"
import type { CommandOf } from "../SessionCommand.ts"
import { awaiting, limitKey, spent } from "../standing.ts"
import type { Draft } from "./Draft.ts"
import { interruptTurn } from "./ending.ts"
import { message } from "./queue.ts"

type InputOf<Tag extends Input["_tag"]> = Extract<Input, { readonly _tag: Tag }>

const interrupt = (draft: Draft, { inputId, threadId }: InputOf<"Interrupt">): void => {
  const named = threadId === null ? draft.session.threads.filter((one) => !one.archived) : [draft.thread(threadId)]
  const busy = named.filter((thread) => thread.turn !== null)
  const at = draft.at
  const deadline = at + Limits.interruptConfirmMs
  if (busy.length === 0) {
    const idle: ThreadId = threadId ?? draft.session.primary
    draft.emit({ _tag: "InterruptRequested", threadId: idle, inputId, turnId: null, deadline, at })
    return
  }
  for (const { threadId: id, turn } of busy) {
    draft.emit({ _tag: "InterruptRequested", threadId: id, inputId, turnId: turn!.turnId, deadline, at })
    if (turn!.phase._tag !== "Working") interruptTurn(draft, draft.thread(id), null)
  }
}

const owed = (draft: Draft, callId: string, awaits: "confirmation" | "result" | "answer") => {
  const found = draft.call(callId)
  if (found.call.awaits !== awaits) draft.refuse({ _tag: "CallNotAwaiting", callId, awaits: found.call.awaits })
  return found
}

const one = (draft: Draft, input: Input): void => {
  const at = draft.at
  switch (input._tag) {
    case "Message": {
      const limits = spent(draft.session, null)
      if (limits.some((limit) => limit.enforcement === "hard")) draft.refuse({ _tag: "BudgetReached" })
      return message(draft, input)
    }
    case "SystemMessage": {
      const { content, inputId } = input
      return draft.emit({ _tag: "SystemMessageReceived", threadId: draft.session.primary, inputId, content, at })
    }
    case "Interrupt":
      return interrupt(draft, input)
    case "Confirmation": {
      const { callId, decision, inputId } = input
      const { thread } = owed(draft, callId, "confirmation")
      return draft.emit({ _tag: "ToolConfirmed", threadId: thread.threadId, inputId, callId, decision, at })
    }
    case "ToolResult": {
      const { callId, content, executor, inputId, isError } = input
      const { call, thread } = owed(draft, callId, "result")
      if (call.executor !== executor) {
        draft.refuse({ _tag: "Invalid", field: "executor", detail: `the call is for a ${call.executor}` })
      }
      const { threadId } = thread
      return draft.emit({ _tag: "ToolAnswered", threadId, inputId, callId, executor, content, isError, at })
    }
    case "Answer": {
      const { answer, callId, inputId } = input
      const { thread } = owed(draft, callId, "answer")
      return draft.emit({ _tag: "QuestionAnswered", threadId: thread.threadId, inputId, callId, answer, at })
    }
    case "Outcome": {
      const { _tag, ...outcome } = input
      return draft.emit({ _tag: "OutcomeDefined", ...outcome })
    }
  }
}

export const inputs = (draft: Draft, list: ReadonlyArray<Input>): void => {
  const seen = new Set<string>()
  for (const input of list) {
    if (seen.has(input.inputId)) draft.refuse({ _tag: "IdTaken", id: input.inputId })
    seen.add(input.inputId)
    one(draft, input)
  }
}

export const retry = (draft: Draft, { turnId }: CommandOf<"RetryTurn">): void => {
  for (const { failed, threadId, turn } of draft.session.threads) {
    if (turn?.turnId === turnId) {
      if (turn.phase._tag !== "Deciding") draft.refuse({ _tag: "NothingToRetry" })
      return draft.emit({ _tag: "RetryDecided", threadId, turnId, at: draft.at })
    }
    if (failed?.turnId === turnId && turn === null) {
      return draft.emit({ _tag: "TurnRetried", threadId, turnId, at: draft.at })
    }
  }
  draft.refuse({ _tag: "NothingToRetry" })
}

/** Everything whose time has come: timers, expired calls, interrupts that no runner confirmed, working time used up. */
export const wake = (draft: Draft): void => {
  const at = draft.at
  for (const { dueAt, timerId } of draft.session.timers) {
    if (dueAt <= at) draft.emit({ _tag: "TimerFired", timerId, at })
  }
  if (draft.session.ended !== null) return
  for (const { threadId, turn } of draft.session.threads) {
    if (turn === null) continue
    for (const { callId, expiresAt } of awaiting(turn)) {
      if (expiresAt === null || expiresAt > at) continue
      draft.emit({ _tag: "ToolConfirmed", threadId, inputId: null, callId, decision: { type: "expired" }, at })
    }
    if (turn.phase._tag !== "Working") continue
    const { budget, totals, announced } = draft.session
    const worked = at - turn.phase.startedAt
    const limits = budget.filter(
      (limit) =>
        limit.metric === "active_ms" &&
        !announced.includes(limitKey(limit)) &&
        (limit.scope === "session" ? totals : turn.totals).activeMs + worked >= limit.max
    )
    if (limits.length > 0) draft.emit({ _tag: "BudgetReached", limits, totals })
    if (turn.interrupt !== null && turn.interrupt.deadline <= at) interruptTurn(draft, draft.thread(threadId), null)
  }
}
