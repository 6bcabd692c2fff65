import { askedCall, type TimelineCall } from "@troupe/domain/session/Timeline"
import type { Approval, Question } from "@troupe/client"

export type Waiting = Approval | Question

/** What waits longest comes first. */
export const merged = (
  approvals: ReadonlyArray<Approval>,
  questions: ReadonlyArray<Question>
): ReadonlyArray<Waiting> =>
  [...approvals, ...questions].toSorted((a, b) => a.asked_at.localeCompare(b.asked_at) || a.id.localeCompare(b.id))

/** A call as a timeline has it before it begins: what draws calls there draws it here. */
export const callOf = (approval: Approval): TimelineCall =>
  askedCall({
    seq: approval.seq,
    callId: approval.id,
    name: approval.tool,
    server: approval.server,
    executor: approval.executor as TimelineCall["executor"],
    input: approval.input,
    inputDigest: approval.input_digest,
    permission: "ask",
    reason: approval.reason,
    awaits: "confirmation",
    question: null,
    requestedAt: Date.parse(approval.asked_at)
  })

/** Which of them the keys answer: the one that was gone to, else the first. */
export const chosenOf = (waiting: ReadonlyArray<Waiting>, wanted: string | null): string | null =>
  waiting.find(({ id }) => id === wanted)?.id ?? waiting[0]?.id ?? null

/** Where j and k lead from there. */
export const neighbour = (waiting: ReadonlyArray<Waiting>, from: string | null, by: number): string | null => {
  const at = waiting.findIndex(({ id }) => id === from)
  return waiting[Math.min(waiting.length - 1, Math.max(0, at + by))]?.id ?? null
}
