import type { CommandOf } from "../SessionCommand.ts"
import { held } from "../standing.ts"
import type { Draft } from "./Draft.ts"
import { afterAttempt, closeDoubtful } from "./ending.ts"

/** A runner takes a turn that is due: not before its time, not while it is held, and under a new attempt's id. */
export const startAttempt = (draft: Draft, command: CommandOf<"StartAttempt">): void => {
  const { attemptId, digests, runnerId, threadId, turnId } = command
  const { thread, turn } = draft.running(turnId)
  const { phase } = turn
  const due = phase._tag === "Placing" && (phase.notBefore ?? 0) <= draft.at && held(draft.session, thread) === null
  if (!due || thread.threadId !== threadId) draft.refuse({ _tag: "NotDue" })
  const ended = draft.session.threads.some((one) => one.ended?.attemptId === attemptId)
  if (ended || draft.working(attemptId) !== undefined) draft.refuse({ _tag: "IdTaken", id: attemptId })
  const number = turn.attempts + 1
  draft.emit({ _tag: "AttemptStarted", threadId, turnId, attemptId, runnerId, number, digests, at: draft.at })
}

/** No runner can take the turn yet: said once for each reason. */
export const noteWaiting = (draft: Draft, { reason, threadId, turnId }: CommandOf<"NoteWaiting">): void => {
  const { thread, turn } = draft.running(turnId)
  if (turn.phase._tag !== "Placing" || thread.threadId !== threadId) return draft.refuse({ _tag: "NotDue" })
  if (turn.phase.waiting !== reason) draft.emit({ _tag: "TurnWaiting", threadId, turnId, reason, at: draft.at })
}

/** The attempt is given up: nothing was heard of its runner for too long. */
export const lose = (draft: Draft, { attemptId, reason }: CommandOf<"LoseAttempt">): void => {
  const found = draft.working(attemptId)
  if (found === undefined) return draft.refuse({ _tag: "AttemptEnded", attemptId })
  const { threadId } = found.thread
  draft.emit({ _tag: "AttemptLost", threadId, turnId: found.turn.turnId, attemptId, reason, at: draft.at })
  const error = { code: "runner_lost", message: `The attempt was lost: ${reason}` }
  afterAttempt(draft, threadId, attemptId, { error, retryable: true, retryAfterMs: null }, null)
}

/** What the worker may have begun is known to nobody now. Calls without effects stay open: the next worker makes them. */
export const loseWorker = (draft: Draft): void => {
  for (const { threadId, turn } of draft.session.threads) {
    if (turn !== null) closeDoubtful(draft, threadId, turn)
  }
}
