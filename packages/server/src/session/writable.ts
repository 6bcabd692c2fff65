import type { SessionCodec } from "@troupe/domain/session/Codec"
import { evolve } from "@troupe/domain/session/evolve"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import type { SessionState } from "@troupe/domain/session/SessionState"
import { Result } from "effect"
import type { Fact } from "../log/Recorder.ts"

/** What is decided, as it will be stored. */
export interface Writable {
  readonly encoded: ReadonlyArray<Fact>
  readonly facts: ReadonlyArray<SessionEvent>
  readonly state: SessionState
}

/** The first type that the format of logs has no shape for. */
export interface Unwritable {
  readonly type: string
}

/**
 * What was decided, in the format that every node of the installation reads. What an older shape can't say is not in the
 * log, so it is not in what is folded and answered either: that is read back from what will be stored.
 */
export const writable = (
  { codec, format }: { readonly codec: SessionCodec; readonly format: number },
  before: SessionState,
  decided: { readonly events: ReadonlyArray<SessionEvent>; readonly state: SessionState }
): Writable | Unwritable => {
  if (format >= codec.format) {
    return { encoded: decided.events.map(codec.encode), facts: decided.events, state: decided.state }
  }
  const encoded: Array<Fact> = []
  const facts: Array<SessionEvent> = []
  for (const event of decided.events) {
    const text = codec.encodeIn(event, format)
    if (text === null) return { type: event._tag }
    encoded.push(text)
    facts.push(Result.getOrThrow(codec.decodeFast({ ...text, streamId: "", seq: 0 })))
  }
  return { encoded, facts, state: facts.reduce(evolve, before) }
}
