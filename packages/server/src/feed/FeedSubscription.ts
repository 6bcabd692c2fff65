import type { FeedRequest } from "@troupe/domain/api/Feed"
import { Effect } from "effect"
import { deltaOut, jsonView } from "../events/streams.ts"
import { Watchers } from "../session/Watchers.ts"
import type { View } from "../session/WatchHub.ts"

/** So many sessions one socket may follow at once, over the feed or over RPC. */
export const subscriptionsMax = 500

type Wanted = Extract<FeedRequest, { readonly type: "subscribe" }>

/** An event as the feed sends it, but for the number of the message: the same for every reader. */
const view: View<string> = {
  encode: (seat) => `"type":"event","session_id":${JSON.stringify(seat.event.streamId)},"event":${seat.as(jsonView)}}`
}

/** Sends what one session says for as long as it is wanted; passes when the session is deleted. */
export const follow = Effect.fnUntraced(function* (
  { after = 0, deltas = false, session_id, types }: Wanted,
  send: (rest: string) => Effect.Effect<void>
) {
  const watchers = yield* Watchers
  const reader = yield* watchers.open(session_id, after)
  const wanted = types === undefined ? null : new Set(types)
  const pump = Effect.gen(function* () {
    while (true) {
      for (const seen of yield* reader.take) {
        if (seen._tag === "Delta") {
          if (!deltas || seen.delta.kind !== undefined) continue
          const delta = JSON.stringify(deltaOut(seen.delta))
          yield* send(`"type":"delta","session_id":${JSON.stringify(session_id)},"delta":${delta}}`)
          continue
        }
        for (const seat of seen.events) {
          if (wanted === null || wanted.has(seat.event.type)) yield* send(seat.as(view))
          if (seat.event.type === "SessionDeleted") return "deleted" as const
        }
      }
    }
  })
  return yield* Effect.raceFirst(pump, reader.cut)
}, Effect.scoped)
