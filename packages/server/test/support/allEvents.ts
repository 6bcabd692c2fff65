import type { Recorded } from "@troupe/domain/log/Envelope"
import { EventStore } from "../../src/log/EventStore.ts"
import { Effect } from "effect"

/** A stream's whole log. */
export const allEvents = Effect.fnUntraced(function* (streamId: string) {
  const store = yield* EventStore
  const events: Array<Recorded> = []
  while (true) {
    const page = yield* store.read(streamId, { after: events.length, limit: 10_000 })
    if (page.length === 0) return events
    events.push(...page)
  }
})
