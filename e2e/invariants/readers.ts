import type { Evidence, StoredSession, Violation } from "./Evidence.ts"

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

interface Block {
  readonly seq: number
  readonly text: string
}

const blocksOf = ({ events }: StoredSession): ReadonlyMap<string, Block> =>
  new Map(
    events.flatMap(({ payload, seq, type }): ReadonlyArray<readonly [string, Block]> => {
      if (payload === null || (type !== "MessageBlock" && type !== "ThinkingBlock")) return []
      const block = JSON.parse(payload) as {
        readonly blockId: string
        readonly text?: string | null
        readonly content?: ReadonlyArray<{ readonly type: string; readonly text?: string }>
      }
      const text = block.text ?? (block.content ?? []).map((part) => part.text ?? "").join("")
      return [[block.blockId, { seq, text }]]
    })
  )

/** INV-7: text that was shown on its way is what the finished block says at that place, and comes before it. */
export function* deltas({ sessions, transcripts }: Evidence): Generator<Violation> {
  for (const session of sessions) {
    const { sessionId } = session
    const blocks = blocksOf(session)
    for (const transcript of transcripts) {
      if (transcript.sessionId !== sessionId) continue
      for (const { after, blockId, offset, text } of transcript.deltas ?? []) {
        const block = blocks.get(blockId)
        // Its attempt was lost before it was finished.
        if (block === undefined) continue
        const broken = (detail: string): Violation => ({
          invariant: "INV-7",
          sessionId,
          detail: `${blockId}: ${detail}`
        })
        const said = block.text.slice(offset, offset + text.length)
        if (said !== text)
          yield broken(`a reader was shown ${JSON.stringify(text)} at ${offset}, it says ${JSON.stringify(said)}`)
        if (after >= block.seq) yield broken(`text of it came after ${block.seq}, where it is finished`)
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
