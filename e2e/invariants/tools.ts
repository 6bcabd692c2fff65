import type { Evidence, StoredSession, Violation } from "./Evidence.ts"

interface Asked {
  readonly callId: string
  readonly token: string
}

interface Call extends Asked {
  readonly sessionId: string
  readonly startedAt: number | null
  readonly outcome: string | null
}

const tokens = /effect-[a-z0-9-]+-\d+/g

const payloads = ({ events }: StoredSession, type: string) =>
  events.flatMap(({ payload, recordedAt, type: of }) =>
    of === type && payload !== null
      ? [{ ...(JSON.parse(payload) as { readonly callId: string }), recordedAt, payload }]
      : []
  )

const callsOf = (session: StoredSession): ReadonlyArray<Call> => {
  const starts = new Map(payloads(session, "ToolStarted").map((event) => [event.callId, event.recordedAt / 1_000]))
  const ends = new Map(
    payloads(session, "ToolFinished").map(({ callId, payload }) => [
      callId,
      (JSON.parse(payload) as { readonly outcome: string }).outcome
    ])
  )
  return payloads(session, "ToolRequested").flatMap(({ callId, payload }) =>
    [...new Set(payload.match(tokens) ?? [])].map((token) => ({
      ...{ sessionId: session.sessionId, callId, token },
      startedAt: starts.get(callId) ?? null,
      outcome: ends.get(callId) ?? null
    }))
  )
}

/**
 * INV-6, against the world: what a call did outside is what the log says that it did. Once if it succeeded, at most once
 * if that is not known, never before its start was in the log, and never if it did not start.
 */
export function* tools({ effects = [], sessions }: Evidence): Generator<Violation> {
  const calls = sessions.flatMap(callsOf)
  const told = new Set(calls.map(({ token }) => token))
  for (const { token } of effects) {
    if (!told.has(token))
      yield { invariant: "INV-6", sessionId: "", detail: `${token} happened and no call asked for it` }
  }
  for (const { callId, outcome, sessionId, startedAt, token } of calls) {
    const broken = (detail: string): Violation => ({ invariant: "INV-6", sessionId, detail: `${callId} ${detail}` })
    const happened = effects.filter((effect) => effect.token === token)
    if (calls.some((other) => other.token === token && other.callId !== callId)) {
      yield broken(`asks for ${token}, and so does another call`)
      continue
    }
    if (happened.length > 1) yield broken(`had its effect ${happened.length} times`)
    if (outcome === "succeeded" && happened.length === 0) yield broken("succeeded without an effect")
    if (startedAt === null && happened.length > 0) yield broken("had an effect and did not start")
    const early = happened.find(({ at }) => startedAt !== null && at + 1 < startedAt)
    if (early !== undefined) yield broken(`had its effect ${startedAt! - early.at} ms before its start was in the log`)
  }
}

/** INV-5: what the log has of an attempt are its frames from the first on, in order, none left out. */
export function* frames({ sessions }: Evidence): Generator<Violation> {
  for (const { events, sessionId } of sessions) {
    const last = new Map<string, number>()
    for (const { payload } of events) {
      if (payload === null) continue
      const { attemptId, frame } = JSON.parse(payload) as {
        readonly attemptId?: string
        readonly frame?: number | null
      }
      if (typeof attemptId !== "string" || typeof frame !== "number") continue
      const before = last.get(attemptId) ?? 0
      last.set(attemptId, frame)
      if (frame === before || frame === before + 1) continue
      yield { invariant: "INV-5", sessionId, detail: `frame ${frame} of ${attemptId} comes after ${before}` }
    }
  }
}
