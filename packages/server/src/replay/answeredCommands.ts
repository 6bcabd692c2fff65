import type { SessionId } from "@troupe/domain/Ids"
import { Effect, Option, Stream } from "effect"
import { type AnsweredCommand, EventStore } from "../log/EventStore.ts"

const pageSize = 500

/** What was answered to a session's commands while its log was no longer than this, in the order of the log. */
export const answeredCommands = (sessionId: SessionId, version: number) =>
  Stream.unwrap(
    Effect.map(EventStore, (store) =>
      Stream.paginate(null as AnsweredCommand | null, (after) =>
        Effect.map(store.commands(sessionId, { after, limit: pageSize }), (page) => {
          const last = page.at(-1)
          const more = last !== undefined && last.version <= version
          return [page, more ? Option.some(last) : Option.none()] as const
        })
      )
    )
  ).pipe(
    // The command behind an accepted one's version has its events after it.
    Stream.filter((one) => (one.rejection === null ? one.version < version : one.version <= version))
  )

/** An accepted command as those who verify it take it; null for a rejected one. */
export const acceptedOf = ({ body, commandId, digest, rejection, version }: AnsweredCommand) =>
  rejection === null && body !== null ? { commandId, digest, body, seq: version + 1 } : null

/** The same for a rejected one. One that was redacted has nothing left to be verified. */
export const rejectedOf = ({ body, commandId, digest, rejection, version }: AnsweredCommand) =>
  rejection !== null && body !== null ? { commandId, digest, body, version, reason: rejection } : null
