import { ApiFailure, conflict, invalid, notFound } from "@troupe/domain/api/ApiError"
import { refusalOut } from "@troupe/domain/api/compat/refusals"
import { CommandId, type SessionId } from "@troupe/domain/Ids"
import type { SessionCommand } from "@troupe/domain/session/SessionCommand"
import type { SessionState } from "@troupe/domain/session/SessionState"
import { decide } from "@troupe/domain/session/decide"
import { traceId } from "@troupe/domain/telemetry/Tracing"
import { Clock, Effect } from "effect"
import { notReadableYet } from "../gateway/notReadableYet.ts"
import { Caller, Mint } from "../gateway/Requests.ts"
import { Minting } from "../log/Minting.ts"
import type { SessionError, SessionNotReached } from "../session/SessionErrors.ts"
import { Sessions } from "../session/Sessions.ts"

/** A log that this release can't read is shown up to there, and takes nothing more. */
export const unreadableCode = "log_unreadable"

export const busy = (retryAfterMs: number, message: string) =>
  new ApiFailure({ type: "api_error", status: 503, message, retryAfterMs })

export const failureOf = (
  sessionId: SessionId,
  command: string,
  error: SessionError | SessionNotReached
): ApiFailure => {
  switch (error._tag) {
    case "CommandRejected":
      return refusalOut(sessionId, command, error.reason)
    case "CommandIdReused":
      return conflict("This request was sent before with another body")
    case "CommandTooLarge":
      return new ApiFailure({
        type: "request_too_large",
        message: `The events come to ${error.bytes} bytes; a request takes ${error.bytesMax}`
      })
    case "CommandUnstorable":
      return invalid(`${error.field ?? "The request"} holds characters that can't be stored`)
    case "Overloaded":
      return new ApiFailure({
        type: "overloaded_error",
        message: "The session has too many requests waiting",
        retryAfterMs: error.retryAfterMs
      })
    case "SessionMoved":
      return busy(500, "The session is moving to another node")
    case "SessionUnavailable":
    case "SessionNotReached":
      return busy(error.retryAfterMs, "The session can't be reached right now")
    case "EventNotReadableYet":
      return notReadableYet()
    case "SessionUnreadable":
    case "ReceiptUnreadable":
      // It stays so for this release, however often it is asked for.
      return invalid(error.message, unreadableCode)
    case "CommandBroken":
      return new ApiFailure({ type: "api_error", message: error.message })
  }
}

export const mintCommand = (tag: SessionCommand["_tag"]) =>
  Effect.map(Mint, (mint) => CommandId.make(mint("Command", tag)))

const commandOf = Effect.fnUntraced(function* (body: SessionCommand, given?: CommandId) {
  const { actor } = yield* Caller
  const { salt } = yield* Minting
  const at = yield* Clock.currentTimeMillis
  const commandId = given ?? (yield* mintCommand(body._tag))
  // Whoever finds the event in the log finds the trace by it.
  const correlationId = (yield* traceId) ?? salt()
  return { commandId, at, actor, correlationId, body }
})

/** Sends a command of the caller's to a session. */
export const command = Effect.fn("SessionCalls.command")(function* (
  sessionId: SessionId,
  body: SessionCommand,
  given?: CommandId
) {
  const sessions = yield* Sessions
  return yield* sessions
    .handle(sessionId, yield* commandOf(body, given))
    .pipe(Effect.mapError((error) => failureOf(sessionId, body._tag, error)))
})

/** What a session folds to now. Loads it if need be. */
export const stateOf = Effect.fn("SessionCalls.stateOf")(function* (sessionId: SessionId) {
  const sessions = yield* Sessions
  const { state } = yield* sessions
    .current(sessionId)
    .pipe(Effect.mapError((error) => failureOf(sessionId, "Current", error)))
  if (state._tag === "Open") return state
  return yield* notFound(`Session ${sessionId} was not found.`)
})

/** Fails as a command would, as the session stands now, and sends nothing. */
export const rehearse = Effect.fn("SessionCalls.rehearse")(function* (sessionId: SessionId, body: SessionCommand) {
  const state = yield* stateOf(sessionId)
  const decided = decide(state, yield* commandOf(body))
  return yield* Effect.mapError(Effect.fromResult(decided), (error) => failureOf(sessionId, body._tag, error))
})

export type Open = Extract<SessionState, { readonly _tag: "Open" }>
