import { attempt, notFound } from "@troupe/domain/api/ApiError"
import type { SessionCause } from "@troupe/domain/api/Replay"
import type { SessionId } from "@troupe/domain/Ids"
import type { Recorded } from "@troupe/domain/log/Envelope"
import { type CommandStep, type Read, why } from "@troupe/domain/replay/Causation"
import * as Codec from "@troupe/domain/session/Codec"
import { Effect, Result } from "effect"
import { actorOf } from "../sessions/actorOf.ts"
import { Folds } from "./Folds.ts"

type Step = SessionCause["command"]

/** What links events to each other. Nothing else of them is kept: a log is looked through as a whole. */
const links = ["_tag", "callId", "requestId", "attemptId", "turnId", "inputId", "messageId"] as const

const slim = (row: Recorded): Read | null => {
  const event = Codec.decodeFast(row)
  if (Result.isFailure(event)) return null
  const fields = event.success as unknown as Readonly<Record<string, unknown>>
  return {
    row: { ...row, payload: null },
    event: Object.fromEntries(links.flatMap((name) => (name in fields ? [[name, fields[name]]] : []))) as never
  }
}

const stepOut = ({ actorText, commandId, correlationId, seqs }: CommandStep): Step => ({
  command_id: commandId,
  correlation_id: correlationId,
  actor: actorOf({ actorText, seq: seqs[0]! }),
  seqs
})

/** Why an event is in the log. */
export const explain = Effect.fn("explain")(function* (sessionId: SessionId, seq: number) {
  const folds = yield* Folds
  const { version } = yield* folds.head(sessionId)
  const unknown = notFound(`The log has no event ${seq}.`)
  if (seq < 1 || seq > version) return yield* unknown
  const log: Array<Read> = []
  yield* folds.each(sessionId, version, (page) => {
    for (const row of page) {
      const read = slim(row)
      if (read !== null) log.push(read)
    }
  })
  const found = why(log, seq)
  if (found === undefined) return yield* unknown
  const { command, request } = yield* Effect.fromResult(
    attempt(() => ({ command: stepOut(found.command), request: found.request.map(stepOut) }))
  )
  return {
    type: "session_cause",
    session_id: sessionId,
    seq,
    event_type: found.type,
    command,
    causes: found.causes.map(({ by, commandId, seq: at, type }) => ({
      seq: at,
      event_type: type,
      by,
      command_id: commandId
    })),
    request
  } satisfies SessionCause
})
