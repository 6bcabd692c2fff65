import { BundleWriter } from "@troupe/domain/replay/Bundle"
import type { SessionId } from "@troupe/domain/Ids"
import { Clock, Effect, Option, Stream } from "effect"
import { EventStore } from "../log/EventStore.ts"
import { sha256 } from "../log/sha256.ts"
import { acceptedOf, answeredCommands, rejectedOf } from "./answeredCommands.ts"
import { Folds } from "./Folds.ts"

const pageSize = 500

/** The lines of a session's bundle, read as they are taken: its log as far as it goes now, and the commands that made it. */
export const exportBundle = Effect.fn("exportBundle")(function* (sessionId: SessionId) {
  const folds = yield* Folds
  const store = yield* EventStore
  const { chain, stream, streamId, version, workspaceId } = yield* folds.head(sessionId)
  const exportedAt = yield* Clock.currentTimeMillis
  const writer = new BundleWriter({ stream, streamId, workspaceId, version, chain, exportedAt }, sha256)

  const events = Stream.paginate(0, (after) =>
    Effect.map(store.read(sessionId, { after, limit: Math.min(pageSize, version - after) }), (page) => {
      const last = page.at(-1)
      const next = last === undefined || last.seq >= version ? Option.none() : Option.some(last.seq)
      return [page.flatMap((row) => writer.event(row)), next] as const
    })
  )
  // All that were accepted come before the first that was not.
  const accepted = answeredCommands(sessionId, version).pipe(
    Stream.flatMap((one) => Stream.fromIterable([acceptedOf(one)].flatMap((it) => it ?? []))),
    Stream.map((one) => writer.accepted(one))
  )
  const rejected = answeredCommands(sessionId, version).pipe(
    Stream.flatMap((one) => Stream.fromIterable([rejectedOf(one)].flatMap((it) => it ?? []))),
    Stream.map((one) => writer.rejected(one))
  )
  const end = Stream.suspend(() => Stream.succeed(writer.end()))
  return Stream.succeed(writer.header).pipe(
    Stream.concat(version === 0 ? Stream.empty : events),
    Stream.concat(accepted),
    Stream.concat(rejected),
    Stream.concat(end),
    Stream.map((line) => `${line}\n`),
    Stream.provideService(EventStore, store)
  )
})
