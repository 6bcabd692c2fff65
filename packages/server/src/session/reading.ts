import { LogUnreadable, provenBy, type Committed } from "@troupe/domain/log/EventCodec"
import * as Codec from "@troupe/domain/session/Codec"
import { evolve } from "@troupe/domain/session/evolve"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import type { SessionState } from "@troupe/domain/session/SessionState"
import { Result } from "effect"
import { sha256 } from "../log/sha256.ts"

export type ReadEvent = (stored: Committed) => Result.Result<SessionEvent, LogUnreadable>

/** An event of a session's log as this release reads it, if it still is what was written. */
export const readEvent: ReadEvent = provenBy(Codec.codec, sha256)

/** The state after an event as it was read. One that leads to none is as unreadable as one without its shape. */
export const foldOn = (
  state: SessionState,
  { seq, streamId }: Committed,
  event: ReturnType<ReadEvent>
): Result.Result<SessionState, LogUnreadable> => {
  if (Result.isFailure(event)) return Result.fail(event.failure)
  try {
    return Result.succeed(evolve(state, event.success))
  } catch (defect) {
    const detail = defect instanceof Error ? defect.message : String(defect)
    return Result.fail(new LogUnreadable({ streamId, seq, reason: { _tag: "Corrupt", detail } }))
  }
}
