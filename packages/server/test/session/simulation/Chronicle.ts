import type {
  ClientCall,
  Evidence,
  FeedTranscript,
  StoredSession,
  Transcript
} from "../../../../../e2e/invariants/Evidence.ts"
import { Effect } from "effect"
import { beginning, type EventStore } from "../../../src/log/EventStore.ts"
import type { EventStoreMemory } from "../../../src/log/EventStoreMemory.ts"
import type { Fed } from "../../../src/session/Feeds.ts"

/** Epochs as they were taken: whoever held an earlier one may write no more. */
export const recordClaims = (store: EventStore["Service"]) => {
  const claims = new Map<string, Array<{ readonly epoch: number; readonly version: number }>>()
  const record = (streamId: string, { epoch, version }: { readonly epoch: number; readonly version: number }) => {
    const list = claims.get(streamId) ?? []
    claims.set(streamId, list)
    list.push({ epoch, version })
  }
  const recording: EventStore["Service"] = {
    ...store,
    claim: (streamId) =>
      Effect.tap(store.claim(streamId), (head) =>
        Effect.sync(() => head._tag === "Some" && record(streamId, head.value))
      ),
    create: (options) => Effect.tap(store.create(options), (head) => Effect.sync(() => record(options.streamId, head)))
  }
  return Object.assign(recording, { claimsOf: (streamId: string) => claims.get(streamId) ?? [] })
}

/** What readers got: one that hears what hosts publish, and one that reads all sessions from the store. */
export class Readers {
  readonly transcripts: Array<Transcript> = []
  private readonly seen: Array<FeedTranscript["seen"][number]> = []
  private cursor = beginning

  readonly publish = (sessionId: string, fed: Fed): void => {
    if (fed._tag !== "Events" || fed.events.length === 0) return
    const seen = fed.events.map(({ eventId, seq }) => ({ seq, eventId }))
    this.transcripts.push({ sessionId, after: seen[0]!.seq - 1, seen })
  }

  readonly readAll = Effect.fnUntraced(function* (this: Readers, store: EventStore["Service"]) {
    while (true) {
      const page = yield* Effect.orDie(store.readAll({ after: this.cursor, limit: 50 }))
      const last = page[page.length - 1]
      if (last === undefined) return
      this.cursor = last.cursor
      for (const { event } of page) this.seen.push({ streamId: event.streamId, seq: event.seq })
    }
  })

  get feed(): FeedTranscript {
    return { seen: this.seen }
  }
}

const storedSession = (
  memory: EventStoreMemory,
  sessionId: string,
  claims: NonNullable<StoredSession["claims"]>
): ReadonlyArray<StoredSession> => {
  const log = memory.dump(sessionId)
  if (log === null || log.events.length === 0) return []
  const { events, head, rejections, snapshot, summary } = log
  return [
    {
      sessionId,
      events: events.map((event) => ({ ...event, commandId: event.mark?.commandId ?? null })),
      head,
      claims,
      rejected: [...rejections.keys()],
      snapshot,
      summary
    }
  ]
}

export const evidence = (options: {
  readonly memory: EventStoreMemory
  readonly sessionIds: ReadonlyArray<string>
  readonly claimsOf: (sessionId: string) => NonNullable<StoredSession["claims"]>
  readonly calls: ReadonlyArray<ClientCall>
  readonly notes: Evidence["notes"]
  readonly readers: Readers
}): Evidence => ({
  sessions: options.sessionIds.flatMap((id) => storedSession(options.memory, id, options.claimsOf(id))),
  calls: options.calls,
  notes: options.notes,
  transcripts: options.readers.transcripts,
  feeds: [options.readers.feed],
  settled: true,
  secrets: []
})
