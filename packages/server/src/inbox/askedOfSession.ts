import type { SessionId } from "@troupe/domain/Ids"
import { awaiting } from "@troupe/domain/session/standing"
import { Effect } from "effect"
import { stateOf } from "../sessions/SessionCalls.ts"
import { LoggedEvents, type LoggedPage } from "../sessions/LoggedEvents.ts"
import type { SessionView } from "../sessions/SessionView.ts"
import type { AskedCall, InboxFilter } from "./Inbox.ts"
import { kindOf } from "./inboxProjection.ts"

/** The calls of a session that wait for somebody. */
export const awaited = Effect.fnUntraced(function* (sessionId: SessionId) {
  const state = yield* stateOf(sessionId)
  return new Set<string>(
    state.threads.flatMap(({ turn }) => (turn === null ? [] : awaiting(turn).map(({ callId }) => callId)))
  )
})

const pageSize = 100
const beyondAll = 2_147_483_647

/** What people are asked by one session, as of now: whoever has seen that it waits finds here what for. */
export const askedOfSession = Effect.fn("askedOfSession")(function* (
  { resting, session }: SessionView,
  kind: InboxFilter["kind"]
) {
  if (resting) return []
  const logged = yield* LoggedEvents
  const open = yield* awaited(session.id)
  const asked: Array<AskedCall> = []
  for (let beyond: number | null = beyondAll; open.size > 0 && beyond !== null;) {
    const page: LoggedPage = yield* logged.page(session.id, {
      beyond,
      order: "desc",
      tags: ["ToolRequested"],
      limit: pageSize
    })
    beyond = page.next
    for (const { event, recordedAt, seq } of page.events) {
      if (event._tag !== "ToolRequested" || !open.delete(event.callId) || kindOf(event) !== kind) continue
      const { callId, executor, expiresAt, input, inputDigest, name, question, server, threadId, turnId } = event
      asked.push({
        ...{ callId, threadId, turnId, seq, expiresAt, server, executor, input, inputDigest, question },
        sessionId: session.id,
        sessionTitle: session.title,
        agentId: session.agent.id,
        askedAt: recordedAt,
        tool: name,
        reason: event.verdict.reason,
        rule: event.verdict.rule
      })
    }
  }
  return asked.reverse()
})
