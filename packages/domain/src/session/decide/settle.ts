import type { EventOf } from "../SessionEvent.ts"
import type { Thread } from "../SessionState.ts"
import { awaiting, held, limitKey, sessionStatus, spent, threadStatus } from "../standing.ts"
import type { Draft } from "./Draft.ts"
import { finish } from "./ending.ts"

/** Limits that were come up to and not announced yet. */
const announce = (draft: Draft): void => {
  const { session } = draft
  if (session.budget.length === 0 || session.ended !== null) return
  const limits = new Map(
    [null, ...session.threads.map((thread) => thread.turn)]
      .flatMap((turn) => spent(session, turn))
      .filter((limit) => !session.announced.includes(limitKey(limit)))
      .map((limit) => [limitKey(limit), limit])
  )
  if (limits.size > 0) draft.emit({ _tag: "BudgetReached", limits: [...limits.values()], totals: session.totals })
}

/** A suspended turn goes on once nothing is owed to it and nothing holds it. */
const resume = (draft: Draft, thread: Thread): boolean => {
  const { turn, threadId } = thread
  if (turn?.phase._tag !== "Suspended" || awaiting(turn).length > 0 || held(draft.session, thread) !== null) return false
  for (const call of turn.calls) {
    if (call.status === "denied" || call.status === "expired") finish(draft, thread, call, call.status)
  }
  draft.emit({ _tag: "TurnResumed", threadId, turnId: turn.turnId, at: draft.at })
  return true
}

/** A thread at rest takes the next turn of its queue. */
const start = (draft: Draft, thread: Thread): boolean => {
  const next = thread.queue[0]
  if (thread.turn !== null || thread.archived || next === undefined || next.needsApproval) return false
  if (held(draft.session, thread) !== null) return false
  const { content, inputId, overrides, turnId } = next
  const { threadId } = thread
  const queueVersion = thread.queueVersion + 1
  draft.emit({ _tag: "TurnStarted", threadId, turnId, overrides, queueVersion, at: draft.at })
  draft.emit({
    _tag: "MessageTaken",
    threadId,
    turnId,
    inputId,
    content,
    at: draft.at,
    attemptId: null,
    frame: null
  })
  return true
}

const show = (draft: Draft): void => {
  const { session } = draft
  const now = sessionStatus(session)
  const threads: Array<EventOf<"StatusChanged">["threads"][number]> = []
  for (const thread of session.threads) {
    const status = threadStatus(session, thread)
    if (session.shown.threads[thread.threadId] === JSON.stringify(status)) continue
    threads.push({ threadId: thread.threadId, name: thread.name, ...status })
  }
  const changed = session.shown.session !== JSON.stringify(now)
  if (!changed && threads.length === 0) return
  const { budget, totals } = session
  draft.emit({ _tag: "StatusChanged", session: changed ? now : null, threads, totals, budget, at: draft.at })
}

/** What follows by itself from where a command has led: the session never rests where it could go on. */
export const settle = (draft: Draft): void => {
  if (draft.state._tag !== "Open") return
  announce(draft)
  if (draft.session.ended === null) {
    for (const { threadId } of draft.session.threads) {
      const thread = () => draft.session.threads.find((one) => one.threadId === threadId)!
      resume(draft, thread())
      start(draft, thread())
    }
  }
  show(draft)
}
