import type { Evidence, Violation } from "./Evidence.ts"

/** INV-7: what a reader received from its cursor on is a range of the log: no gap, no double, nothing else. */
export function* transcripts({ sessions, transcripts }: Evidence): Generator<Violation> {
  const logs = new Map(sessions.map((session) => [session.sessionId, session.events]))
  for (const { after, seen, sessionId } of transcripts) {
    let expected = after
    for (const { eventId, seq } of seen) {
      expected++
      if (seq !== expected) {
        yield { invariant: "INV-7", sessionId, detail: `a reader got ${seq} where ${expected} was next` }
        break
      }
      if (logs.get(sessionId)?.[seq - 1]?.eventId !== eventId) {
        yield { invariant: "INV-7", sessionId, detail: `a reader got ${eventId} at ${seq}, which is not committed` }
        break
      }
    }
  }
}

/** INV-7: a feed over all sessions holds each event once, and a session's events in their order. */
export function* feeds({ feeds, sessions, settled }: Evidence): Generator<Violation> {
  for (const { seen } of feeds) {
    const last = new Map<string, number>()
    for (const { seq, streamId } of seen) {
      const before = last.get(streamId) ?? 0
      if (seq !== before + 1) {
        yield { invariant: "INV-7", sessionId: streamId, detail: `the feed went from ${before} to ${seq}` }
      }
      last.set(streamId, Math.max(before, seq))
    }
    if (!settled) continue
    for (const { events, sessionId } of sessions) {
      const got = last.get(sessionId) ?? 0
      if (got !== events.length) {
        yield { invariant: "INV-7", sessionId, detail: `the feed has ${got} of ${events.length} events` }
      }
    }
  }
}
