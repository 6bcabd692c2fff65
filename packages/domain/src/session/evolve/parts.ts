import type { ThreadId } from "../../Ids.ts"
import type { SessionEvent } from "../SessionEvent.ts"
import type { Call, OpenSession, Thread, Turn } from "../SessionState.ts"
import type { Totals } from "../Usage.ts"

/** How each event of a group changes an open session. An event that does not fit changes nothing. */
export type Changes<Tag extends SessionEvent["_tag"]> = {
  readonly [Name in Tag]: (session: OpenSession, event: Extract<SessionEvent, { readonly _tag: Name }>) => OpenSession
}

export const unchanged = (session: OpenSession): OpenSession => session

export const onThread = (session: OpenSession, threadId: ThreadId, change: (thread: Thread) => Thread): OpenSession => {
  const at = session.threads.findIndex((thread) => thread.threadId === threadId)
  const thread = session.threads[at]
  if (thread === undefined) return session
  const changed = change(thread)
  return changed === thread ? session : { ...session, threads: session.threads.with(at, changed) }
}

export const onTurn = (session: OpenSession, threadId: ThreadId, change: (turn: Turn) => Turn): OpenSession =>
  onThread(session, threadId, (thread) => {
    if (thread.turn === null) return thread
    const turn = change(thread.turn)
    return turn === thread.turn ? thread : { ...thread, turn }
  })

export const onCall = (
  session: OpenSession,
  threadId: ThreadId,
  callId: string,
  change: (call: Call) => Call
): OpenSession =>
  onTurn(session, threadId, (turn) => ({
    ...turn,
    calls: turn.calls.map((call) => (call.callId === callId ? change(call) : call))
  }))

export const withoutCall = (turn: Turn, callId: string): Turn => ({
  ...turn,
  calls: turn.calls.filter((call) => call.callId !== callId)
})

export const turnOf = (session: OpenSession, threadId: ThreadId): Turn | null =>
  session.threads.find((thread) => thread.threadId === threadId)?.turn ?? null

/** Adds to the sums of the session and of the turn alike. */
export const count = (session: OpenSession, threadId: ThreadId, add: (totals: Totals) => Totals): OpenSession =>
  onTurn({ ...session, totals: add(session.totals) }, threadId, (turn) => ({ ...turn, totals: add(turn.totals) }))

/** A frame was recorded: the attempt's mark moves to it. */
export const marked = (turn: Turn, frame: number | null): Turn =>
  frame !== null && turn.phase._tag === "Working" && turn.phase.frame < frame
    ? { ...turn, phase: { ...turn.phase, frame } }
    : turn

/** What a frame reported, applied to the turn it belongs to. */
export const onFrame = (
  session: OpenSession,
  event: { readonly threadId: ThreadId; readonly frame: number | null },
  change: (turn: Turn) => Turn = (turn) => turn
): OpenSession => onTurn(session, event.threadId, (turn) => marked(change(turn), event.frame))
