import type { Evidence, StoredSession, Violation } from "./Evidence.ts"

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

const unheard = "the runner was not heard"

interface Started {
  readonly attemptId: string
  readonly turnId: string
}

const startsOf = ({ events }: StoredSession): ReadonlyArray<Started> =>
  events.flatMap((event) =>
    event.type === "AttemptStarted" && event.payload !== null ? [JSON.parse(event.payload) as Started] : []
  )

/**
 * INV-6: an attempt that was given up because nothing was heard of it begins nothing more, for it can't be told; and no
 * two attempts of a turn work at once: a later one is not run while an earlier one still begins things.
 */
export function* attempts({ notes, sessions }: Evidence): Generator<Violation> {
  for (const session of sessions) {
    const { sessionId } = session
    const broken = (detail: string): Violation => ({ invariant: "INV-6", sessionId, detail })
    const lostAt = new Map<string, number>()
    for (const { payload, recordedAt, type } of session.events) {
      if (type !== "AttemptLost" || payload === null) continue
      const { attemptId, reason } = JSON.parse(payload) as Started & { readonly reason: string }
      if (reason === unheard) lostAt.set(attemptId, recordedAt / 1_000)
    }
    const ranAt = new Map<string, number>()
    for (const { at, attemptId, note } of notes) {
      if (note._tag === "RunCalled" && !ranAt.has(attemptId)) ranAt.set(attemptId, at)
    }
    const starts = startsOf(session)
    for (const { at, attemptId, note, sessionId: of } of notes) {
      if (of !== sessionId || note._tag === "RunCalled") continue
      const lost = lostAt.get(attemptId)
      if (lost !== undefined && at > lost) yield broken(`${attemptId} went on ${at - lost} ms after it was given up`)
      const index = starts.findIndex((start) => start.attemptId === attemptId)
      const next = starts.slice(index + 1).find((start) => start.turnId === starts[index]?.turnId)
      const began = next === undefined ? undefined : ranAt.get(next.attemptId)
      if (began !== undefined && at > began) yield broken(`${attemptId} still worked when ${next?.attemptId} ran`)
    }
  }
}
