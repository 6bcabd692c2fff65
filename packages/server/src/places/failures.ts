import { ApiFailure, conflict, invalid, notFound } from "@troupe/domain/api/ApiError"
import type { SessionId } from "@troupe/domain/Ids"
import type { EpochRefused, RunnerAway } from "@troupe/domain/runner/Attempt"
import type { WorkplaceError } from "@troupe/domain/runner/Workplace"
import type { RunnerFault } from "../runners/Calls.ts"
import type { NoWorkplace } from "../runners/Workplaces.ts"
import type { SessionError, SessionNotReached } from "../session/SessionErrors.ts"
import { busy, failureOf } from "../sessions/SessionCalls.ts"

export type PlaceFailure =
  | EpochRefused
  | NoWorkplace
  | RunnerAway
  | RunnerFault
  | SessionError
  | SessionNotReached
  | WorkplaceError

const ofWorkplace = ({ code, detail }: WorkplaceError): ApiFailure => {
  switch (code) {
    case "file_not_found":
    case "terminal_gone":
      return notFound(detail, code)
    case "file_stale":
    case "file_exists":
      return new ApiFailure({ type: "invalid_request_error", status: 412, message: detail, code, final: true })
    case "file_too_large":
    case "too_large":
      return new ApiFailure({ type: "request_too_large", message: detail, code })
    case "sandbox_nothing_runs":
      return new ApiFailure({ type: "invalid_request_error", status: 409, message: detail, code, final: true })
    default:
      return invalid(detail, code)
  }
}

/** Why a runner did not do what it was asked. */
export const runnerFailure = (error: WorkplaceError | RunnerAway | RunnerFault): ApiFailure =>
  error._tag === "WorkplaceError"
    ? ofWorkplace(error)
    : error._tag === "RunnerAway"
      ? busy(2_000, "The runner is not connected")
      : new ApiFailure({ type: "api_error", message: error.message })

/** Why nothing could be done at a session's place, as clients are told. */
export const placeFailure = (sessionId: SessionId, error: PlaceFailure): ApiFailure => {
  switch (error._tag) {
    case "WorkplaceError":
    case "RunnerAway":
    case "RunnerFault":
      return runnerFailure(error)
    case "NoWorkplace":
      return conflict(
        `Session ${sessionId} has no working copy yet: its first turn that leaves a file or runs a program makes it`
      )
    case "EpochRefused":
      return busy(500, "The session is moving to another node")
    default:
      return failureOf(sessionId, "Place", error)
  }
}
