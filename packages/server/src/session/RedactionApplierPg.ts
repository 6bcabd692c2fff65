import * as PgClient from "@effect/sql-pg/PgClient"
import { toUuid, type SessionId } from "@troupe/domain/Ids"
import * as Codec from "@troupe/domain/session/Codec"
import * as CommandBody from "@troupe/domain/session/CommandBody"
import * as Redaction from "@troupe/domain/session/Redaction"
import { alsoCarrying, holdsTextOf } from "@troupe/domain/session/sameContent"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import { Clock, Effect, Layer, Result } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { hash } from "node:crypto"
import { type AnsweredCommand, EventStore } from "../log/EventStore.ts"
import { sweepLater } from "../purge/BlobSweep.ts"
import { blanked } from "./blanked.ts"
import { RedactionApplier } from "./RedactionApplier.ts"

const statement = "SELECT troupe_redact_event($1, $2, $3::json, $4, $5, 'asked for in the log', 'system')"
const commandStatement = "SELECT troupe_redact_command($1, $2, 'asked for in the log', 'system')"
const markStatement = "SELECT seq, command_body FROM events WHERE stream_id = $1 AND command_id = $2"
const pageSize = 200
/** Stands in every reference to content that is kept beside the log. */
const named = '"sha256":"'
/** What may carry a message's content, or names where it is kept. */
const carriers: ReadonlySet<string> = new Set([
  "MessageReceived",
  "ThreadMessaged",
  "TurnEdited",
  "MessageTaken",
  "SystemMessageQueued",
  "SystemMessageReceived",
  "ModelRequestStarted",
  "ModelRequestEnded"
])

/** What can't be read any more may hold anything. */
const mayHoldTextOf = (body: string, event: SessionEvent, redacted: SessionEvent): boolean => {
  try {
    return holdsTextOf(JSON.parse(body), event, redacted)
  } catch {
    return true
  }
}

/** Takes content out through the one function of the database that may, event by event; each is done for good. */
export const layer = Layer.effect(
  RedactionApplier,
  Effect.gen(function* () {
    const store = yield* EventStore
    const sql = yield* PgClient.PgClient

    /** The events of a command, which stand together from `first` on; null where one of them can't be read. */
    const eventsOf = Effect.fnUntraced(function* (sessionId: SessionId, causationId: string, first: number) {
      const events: Array<SessionEvent> = []
      while (true) {
        const page = yield* store.read(sessionId, { after: first - 1 + events.length, limit: pageSize })
        for (const recorded of page) {
          if (recorded.causationId !== causationId) return events
          const event = Codec.decodeFast(recorded)
          if (Result.isFailure(event)) return null
          events.push(event.success)
        }
        if (page.length === 0) return events
      }
    })

    /** What is kept of the command behind an event holds content too: as pointers to its events, or short as it is. */
    const markOf = Effect.fnUntraced(function* (sessionId: SessionId, causationId: string) {
      const [mark] = yield* sql.unsafe<{ readonly seq: number; readonly command_body: string | null }>(markStatement, [
        toUuid(sessionId)!,
        toUuid(causationId)!
      ])
      if (mark === undefined || mark.command_body === null) return null
      const events = yield* eventsOf(sessionId, causationId, mark.seq)
      if (events === null) return null
      // A body that can't be read any more can't be blanked: nothing of it stays.
      const blanked = CommandBody.redact(causationId, mark.command_body, events)
      return { seq: mark.seq, body: Result.isSuccess(blanked) ? blanked.success : "{}" }
    })

    /** Commands that were rejected are in no event: those that say what the event says lose their body. */
    const redactRejected = Effect.fnUntraced(function* (sessionId: SessionId, event: SessionEvent) {
      const redacted = Redaction.redact(event)
      for (let after: AnsweredCommand | null = null; ;) {
        const page: ReadonlyArray<AnsweredCommand> = yield* store.commands(sessionId, { after, limit: pageSize })
        for (const { body, commandId, rejection } of page) {
          if (rejection === null || body === null || !mayHoldTextOf(body, event, redacted)) continue
          yield* sql.unsafe(commandStatement, [toUuid(sessionId)!, toUuid(commandId)!])
        }
        const last = page.at(-1)
        if (last === undefined) return
        after = last
      }
    })

    /** Events that carry the same content as those that were named, and still have it. */
    const widen = Effect.fnUntraced(function* (
      sessionId: SessionId,
      seqs: ReadonlyArray<number>,
      report: Parameters<RedactionApplier["Service"]["apply"]>[2]
    ) {
      const log: Array<{ readonly seq: number; readonly version: number; readonly event: SessionEvent }> = []
      for (let after = 0; ;) {
        const page = yield* store.readToFold(sessionId, { after, limit: pageSize })
        if (page.length === 0) break
        for (const stored of page) {
          if (!carriers.has(stored.type)) continue
          const event = Codec.decodeFast(stored)
          if (Result.isSuccess(event)) log.push({ seq: stored.seq, version: stored.version, event: event.success })
        }
        after = page.at(-1)!.seq
      }
      const also = new Set(alsoCarrying(log, seqs))
      const blanked = log.flatMap(({ event, seq, version }) => {
        const { payload } = Codec.encodeAs(Redaction.redact(event), version)
        return also.has(seq) && payload !== Codec.encodeAs(event, version).payload ? [{ seq, payload }] : []
      })
      if (blanked.length === 0) return
      yield* report({
        _tag: "WidenRedaction",
        seqs: blanked.map(({ seq }) => seq),
        reason: `the same content as in ${seqs.slice(0, 20).join(", ")}`,
        replacements: blanked.map(({ payload }) => hash("sha256", payload, "hex"))
      })
    })

    const redact = Effect.fnUntraced(function* (sessionId: SessionId, seq: number) {
      const [recorded] = yield* store.read(sessionId, { after: seq - 1, limit: 1 })
      if (recorded === undefined || recorded.salt === null) return
      const event = Codec.decodeFast(recorded)
      const replacement = blanked(recorded)
      // What was kept beside the log is named by nothing then.
      if (recorded.payload?.includes(named) === true) {
        const swept = sweepLater(toUuid(recorded.workspaceId)!, yield* Clock.currentTimeMillis)
        yield* Effect.provideService(swept, SqlClient.SqlClient, sql)
      }
      // First, while the log still says what to look for.
      if (Result.isSuccess(event)) yield* redactRejected(sessionId, event.success)
      const mark = yield* markOf(sessionId, recorded.causationId)
      yield* sql.unsafe(statement, [toUuid(sessionId)!, seq, replacement, mark?.seq ?? null, mark?.body ?? null])
    })

    return RedactionApplier.of({
      apply: (sessionId, seqs, report) =>
        widen(sessionId, seqs, report).pipe(
          Effect.andThen(Effect.forEach(seqs, (seq) => redact(sessionId, seq), { discard: true })),
          Effect.andThen(report({ _tag: "ConfirmRedaction", seqs })),
          Effect.catch((error) => Effect.logWarning("Content could not be taken out yet", error)),
          Effect.asVoid
        )
    })
  })
)
