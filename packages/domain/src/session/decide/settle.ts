import type { ThreadId } from "../../Ids.ts"
import { type Budget, type BudgetLimit, consumed } from "../Budget.ts"
import { isDone } from "../rest.ts"
import type { EventOf } from "../SessionEvent.ts"
import type { Thread } from "../SessionState.ts"
import { awaiting, held, limitKey, sessionStatus, sessionUse, statusText, threadStatus, turnUse } from "../standing.ts"
import type { Totals } from "../Usage.ts"
import type { Draft } from "./Draft.ts"
import { closeRefused } from "./ending.ts"
import { take } from "./queue.ts"

/** Limits that were come up to and not announced yet. Turns have limits of their own. */
const announce = (draft: Draft): void => {
  const { at, session } = draft
  if (session.budget.length === 0 || session.ended !== null) return
  const reached = (scope: BudgetLimit["scope"], announced: ReadonlyArray<string>, totals: Totals) =>
    session.budget.filter(
      (limit) => limit.scope === scope && consumed(totals, limit) >= limit.max && !announced.includes(limitKey(limit))
    )
  const tell = (threadId: ThreadId | null, limits: Budget) => {
    if (limits.length > 0) draft.emit({ _tag: "BudgetReached", threadId, limits, totals: session.totals })
  }
  tell(null, reached("session", session.announced, sessionUse(session, at)))
  for (const { threadId, turn } of session.threads) {
    if (turn !== null) tell(threadId, reached("turn", turn.announced, turnUse(turn, at)))
  }
}

/** A suspended turn goes on once nothing is owed to it and nothing holds it. */
const resume = (draft: Draft, thread: Thread): void => {
  const { turn, threadId } = thread
  if (turn?.phase._tag !== "Suspended" || awaiting(turn).length > 0 || held(draft.session, thread) !== null) return
  closeRefused(draft, threadId, turn)
  draft.emit({ _tag: "TurnResumed", threadId, turnId: turn.turnId, at: draft.at })
}

/** A thread at rest takes up a failed turn that is to be tried again, else the next turn of its queue. */
const start = (draft: Draft, thread: Thread): void => {
  if (thread.retry !== null && thread.turn === null && !thread.archived) {
    if (held(draft.session, thread) !== null) return
    const { threadId } = thread
    return draft.emit({ _tag: "TurnRetried", threadId, turnId: thread.retry.turnId, at: draft.at })
  }
  const next = thread.queue[0]
  if (thread.turn !== null || thread.archived || next === undefined || next.needsApproval) return
  if (held(draft.session, thread) !== null) return
  const { overrides, turnId } = next
  const { threadId } = thread
  const queueVersion = thread.queueVersion + 1
  draft.emit({ _tag: "TurnStarted", threadId, turnId, overrides, queueVersion, at: draft.at })
  take(draft, { threadId, turnId, attemptId: null, frame: null }, next)
}

const show = (draft: Draft): void => {
  const { session } = draft
  const now = sessionStatus(session)
  const threads: Array<EventOf<"StatusChanged">["threads"][number]> = []
  for (const thread of session.threads) {
    const status = threadStatus(session, thread)
    if (session.shown.threads[thread.threadId] === statusText(status)) continue
    threads.push({ threadId: thread.threadId, name: thread.name, ...status })
  }
  const changed = session.shown.session !== statusText(now)
  if (!changed && threads.length === 0) return
  const { budget, totals } = session
  draft.emit({ _tag: "StatusChanged", session: changed ? now : null, threads, totals, budget, at: draft.at })
}

/** What follows by itself from where a command has led: the session never rests where it could go on. */
export const settle = (draft: Draft): void => {
  if (draft.state._tag !== "Open") return
  announce(draft)
  if (draft.session.ended === null) {
    for (const thread of draft.session.threads) {
      resume(draft, thread)
      start(draft, thread)
    }
  }
  show(draft)
  // What rests is shown as such first: whoever waits for that need not know that the session goes.
  if (!isDone(draft.session)) return
  draft.emit({ _tag: "SessionDeleted", at: draft.at })
  show(draft)
}
