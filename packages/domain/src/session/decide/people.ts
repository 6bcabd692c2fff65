import { Limits } from "../../Limits.ts"
import type { ThreadId } from "../../Ids.ts"
import type { Input } from "../Input.ts"
import { answerAs, wrongAnswer } from "../Question.ts"
import { expiresAt } from "../rest.ts"
import type { CommandOf } from "../SessionCommand.ts"
import { awaiting, spent } from "../standing.ts"
import type { Draft } from "./Draft.ts"
import { interruptTurn } from "./ending.ts"
import { message, systemMessage } from "./queue.ts"

type InputOf<Tag extends Input["_tag"]> = Extract<Input, { readonly _tag: Tag }>

const interrupt = (draft: Draft, { inputId, threadId }: InputOf<"Interrupt">): void => {
  const named = threadId === null ? draft.session.threads.filter((one) => !one.archived) : [draft.thread(threadId)]
  const busy = named.flatMap(({ threadId: id, turn }) => (turn === null ? [] : [{ id, turn }]))
  const at = draft.at
  const deadline = at + Limits.interruptConfirmMs
  if (busy.length === 0) {
    const idle: ThreadId = threadId ?? draft.session.primary
    draft.emit({ _tag: "InterruptRequested", threadId: idle, inputId, turnId: null, deadline, at })
    return
  }
  for (const { id, turn } of busy) {
    draft.emit({ _tag: "InterruptRequested", threadId: id, inputId, turnId: turn.turnId, deadline, at })
    if (turn.phase._tag !== "Working") interruptTurn(draft, id, null)
  }
}

const owed = (draft: Draft, callId: string, awaits: "confirmation" | "result" | "answer") => {
  const found = draft.call(callId)
  if (found.call.awaits !== awaits) draft.refuse({ _tag: "CallNotAwaiting", callId, awaits: found.call.awaits })
  return found
}

/** At the session's hard cap nothing begins any more: only answers and interrupts are taken. */
export const refuseAtCap = (draft: Draft): void => {
  if (spent(draft.session, null).some((limit) => limit.enforcement === "hard")) draft.refuse({ _tag: "BudgetReached" })
}

const one = (draft: Draft, input: Input): void => {
  const at = draft.at
  switch (input._tag) {
    case "Message":
      refuseAtCap(draft)
      return message(draft, input)
    case "SystemMessage":
      refuseAtCap(draft)
      return systemMessage(draft, input)
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
      const { callId, inputId } = input
      const { call, thread } = owed(draft, callId, "answer")
      const answer = answerAs(call.question, input.answer)
      const wrong = wrongAnswer(call.question, answer)
      if (wrong !== null) draft.refuse({ _tag: "Invalid", field: "answer", detail: wrong })
      return draft.emit({ _tag: "QuestionAnswered", threadId: thread.threadId, inputId, callId, answer, at })
    }
    case "Outcome": {
      refuseAtCap(draft)
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
  for (const { failed, retry, threadId, turn } of draft.session.threads) {
    if (turn?.turnId === turnId) {
      if (turn.phase._tag !== "Deciding") draft.refuse({ _tag: "NothingToRetry" })
      return draft.emit({ _tag: "RetryDecided", threadId, turnId, at: draft.at })
    }
    if (failed?.turnId === turnId && retry === null) {
      refuseAtCap(draft)
      // What runs is not cut short; of what waits, the retry is the first.
      return draft.emit({ _tag: turn === null ? "TurnRetried" : "RetryQueued", threadId, turnId, at: draft.at })
    }
  }
  draft.refuse({ _tag: "NothingToRetry" })
}

/** Everything whose time has come: timers, expired calls, interrupts that no runner confirmed, the session itself. */
export const wake = (draft: Draft): void => {
  const at = draft.at
  if (draft.session.ended !== null) return
  for (const { dueAt, timerId } of draft.session.timers) {
    if (dueAt <= at) draft.emit({ _tag: "TimerFired", timerId, at })
  }
  for (const { threadId, turn } of draft.session.threads) {
    if (turn === null) continue
    for (const { callId, expiresAt } of awaiting(turn)) {
      if (expiresAt === null || expiresAt > at) continue
      draft.emit({ _tag: "ToolConfirmed", threadId, inputId: null, callId, decision: { type: "expired" }, at })
    }
    const overdue = turn.phase._tag === "Working" && turn.interrupt !== null && turn.interrupt.deadline <= at
    if (overdue) interruptTurn(draft, threadId, null)
  }
  const expiry = expiresAt(draft.session)
  if (expiry !== null && expiry <= at) draft.emit({ _tag: "SessionDeleted", at })
}
