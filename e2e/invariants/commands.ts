import type { ClientCall, Evidence, Violation } from "./Evidence.ts"

/** INV-1, INV-2, INV-4: what clients were told is what the log holds, once. */
export function* commands({ calls, sessions }: Evidence): Generator<Violation> {
  const logs = new Map(sessions.map((session) => [session.sessionId, session]))
  const answers = new Map<string, Array<ClientCall>>()
  for (const call of calls) {
    const key = `${call.sessionId} ${call.commandId}`
    const list = answers.get(key)
    if (list === undefined) answers.set(key, [call])
    else list.push(call)
  }
  for (const list of answers.values()) {
    const { commandId, sessionId } = list[0]!
    const broken = (invariant: string, detail: string): Violation => ({ invariant, sessionId, detail })
    const log = logs.get(sessionId)
    const marked = (log?.events ?? []).filter((event) => event.commandId === commandId)
    const caused = (log?.events ?? []).some((event) => event.causationId === commandId)
    const accepted = list.filter((call) => call.answer._tag === "Accepted")
    const rejected = list.filter((call) => call.answer._tag === "Rejected")
    if (marked.length > 1) yield broken("INV-2", `${commandId} is in the log ${marked.length} times`)
    for (const { answer } of accepted) {
      if (marked.length === 0) yield broken("INV-1", `${commandId} was accepted and is not in the log`)
      else if (answer._tag === "Accepted" && answer.seq !== marked[0]!.seq) {
        yield broken("INV-2", `${commandId} was answered ${answer.seq}, the log says ${marked[0]!.seq}`)
      }
    }
    if (accepted.length > 0 && rejected.length > 0) yield broken("INV-2", `${commandId} got two different answers`)
    if (rejected.length > 0 && caused) yield broken("INV-4", `${commandId} was rejected and is in the log`)
    const digests = new Set(list.filter((call) => call.answer._tag !== "Reused").map((call) => call.digest))
    const told = new Set(accepted.map((call) => call.digest))
    if (told.size > 1) yield broken("INV-2", `${commandId} was accepted with ${digests.size} bodies`)
  }
}

/** INV-6: each call had its effect at most once, and only after its start was in the log. */
export function* effects({ notes, sessions }: Evidence): Generator<Violation> {
  const counts = new Map<string, number>()
  for (const { note, sessionId } of notes) {
    if (note._tag !== "Effect") continue
    const count = (counts.get(note.callId) ?? 0) + 1
    counts.set(note.callId, count)
    if (count === 2) yield { invariant: "INV-6", sessionId, detail: `${note.callId} had its effect twice` }
    if (note.readOnly) continue
    const started = sessions
      .find((session) => session.sessionId === sessionId)
      ?.events.some((event) => event.type === "ToolStarted" && event.payload?.includes(note.callId))
    if (started !== true) {
      yield { invariant: "INV-6", sessionId, detail: `${note.callId} had its effect and no start is in the log` }
    }
  }
}

/** The output gate: nothing reached a runner that is not in the log. */
export function* gate({ notes, sessions }: Evidence): Generator<Violation> {
  const started = new Set(
    sessions.flatMap((session) =>
      session.events.flatMap((event) =>
        event.type === "AttemptStarted" && event.payload !== null
          ? [(JSON.parse(event.payload) as { readonly attemptId: string }).attemptId]
          : []
      )
    )
  )
  for (const { attemptId, note, sessionId } of notes) {
    if (note._tag === "RunCalled" && !started.has(attemptId)) {
      yield { invariant: "output gate", sessionId, detail: `${attemptId} ran and never started in the log` }
    }
  }
}
