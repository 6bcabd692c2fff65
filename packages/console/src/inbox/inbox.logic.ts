import { askedCall, type TimelineCall } from "@troupe/domain/session/Timeline"
import type { Approval, Question } from "@troupe/client"
import { writeSearch } from "../app/search.logic.ts"

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

/** The place in a log that an address names; its beginning where it names none. */
export const placeIn = (text: string | undefined): number => (/^[1-9]\d*$/.test(text ?? "") ? Number(text) : 1)

/** Where one is in the inbox, as the address says it: the call, its session, and its place in the log of that. */
export const placeOfAsk = ({ id, seq, session_id }: Pick<Waiting, "id" | "session_id" | "seq">) => ({
  call: id,
  session: session_id,
  at: String(seq)
})

/** The address at which the inbox opens on a call. */
export const linkToAsk = (workspace: string, ask: Pick<Waiting, "id" | "session_id" | "seq">): string =>
  `/w/${workspace}/inbox${writeSearch(placeOfAsk(ask))}`

/** Which of them the keys answer: the one that was gone to, and no other in its place; the first where one just came. */
export const chosenOf = (waiting: ReadonlyArray<Waiting>, wanted: string | null): string | null =>
  wanted === null ? (waiting[0]?.id ?? null) : (waiting.find(({ id }) => id === wanted)?.id ?? null)

/** Where j and k lead from there; from nowhere to the first. */
export const neighbour = (waiting: ReadonlyArray<Waiting>, from: string | null, by: number): Waiting | null => {
  const at = waiting.findIndex(({ id }) => id === from)
  return waiting[at < 0 ? 0 : Math.min(waiting.length - 1, Math.max(0, at + by))] ?? null
}

/** Where one goes on who has answered one of them: to what comes behind it. */
export const nextAfter = (waiting: ReadonlyArray<Waiting>, answered: string): Waiting | null => {
  const at = waiting.findIndex(({ id }) => id === answered)
  return waiting[at + 1] ?? waiting.findLast(({ id }) => id !== answered) ?? null
}
