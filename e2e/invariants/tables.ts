import * as Codec from "@troupe/domain/session/Codec"
import { fold } from "@troupe/domain/session/evolve"
import type { SessionState } from "@troupe/domain/session/SessionState"
import { Option, Result } from "effect"
import type { Evidence, ReadTables, Violation } from "./Evidence.ts"

/** Of a session that used nothing. */
export const noUsage: ReadTables["usage"] = {
  modelRequests: 0,
  inputTokens: 0,
  outputTokens: 0,
  costMicroUsd: 0,
  toolCalls: 0
}

/** Turns that wait, each with what it waits for, by the rules of the session itself. */
export const waitingIn = (state: SessionState): ReadonlyArray<string> =>
  state._tag !== "Open" || state.ended !== null
    ? []
    : state.threads.flatMap(({ archived, queue, retry, turn }) =>
        archived
          ? []
          : [
              ...queue.map(({ needsApproval, turnId }) => `${turnId} ${needsApproval ? "person" : "turn"}`),
              ...(retry === null ? [] : [`${retry.turnId} turn`]),
              ...(turn?.phase._tag === "Placing" && turn.phase.waiting !== null ? [`${turn.turnId} runner`] : [])
            ]
      )

/** INV-8: tables that are filled from all logs hold what the log of each session says: what was used, who is asked, and what waits. */
export function* tables({ sessions }: Evidence): Generator<Violation> {
  for (const { events, sessionId, tables } of sessions) {
    if (tables === undefined) continue
    const broken = (detail: string): Violation => ({ invariant: "INV-8", sessionId, detail })
    const decoded = events.flatMap((event) => Option.getOrElse(Result.getSuccess(Codec.decodeStrict(event)), () => []))
    const usage = { ...noUsage }
    for (const event of decoded) {
      if (event._tag === "ToolStarted") usage.toolCalls++
      if (event._tag !== "ModelRequestEnded") continue
      usage.modelRequests++
      usage.inputTokens += event.usage.inputTokens
      usage.outputTokens += event.usage.outputTokens
      usage.costMicroUsd += event.usage.costMicroUsd ?? 0
    }
    for (const name of Object.keys(usage) as Array<keyof typeof usage>) {
      const [told, said] = [tables.usage[name], usage[name]]
      if (told !== said) yield broken(`the table of usage says ${told} of ${name}, the log ${said}`)
    }
    const state = fold(decoded)
    const threads = state._tag === "Open" && state.ended === null ? state.threads : []
    const asked = threads
      .flatMap(({ turn }) => turn?.calls ?? [])
      .flatMap(({ awaits, callId }) => (awaits === "confirmation" || awaits === "answer" ? [callId] : []))
    const [there, wanted] = [tables.inbox.toSorted().join(" "), asked.toSorted().join(" ")]
    if (there !== wanted) yield broken(`the inbox holds "${there}", the log asks "${wanted}"`)
    const [queued, waits] = [tables.waiting.toSorted().join(", "), waitingIn(state).toSorted().join(", ")]
    if (queued !== waits) yield broken(`the queues hold "${queued}", by the log "${waits}" waits`)
  }
}
