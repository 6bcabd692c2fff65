import type { CommandId, ThreadId, WorkspaceId } from "@troupe/domain/Ids"
import * as Chain from "@troupe/domain/log/Chain"
import type { CommandMark, StreamKind } from "@troupe/domain/log/Envelope"
import type { NewEvent } from "./EventStore.ts"
import type { Minting } from "./Minting.ts"

/** Where a stream ends: what the next event is linked to. */
export interface Tail {
  readonly version: number
  readonly chain: string
  readonly lastRecordedAt: number
}

/** Whose log is written, by whom. */
export interface Pen {
  readonly stream: StreamKind
  readonly streamId: string
  readonly workspaceId: WorkspaceId
  readonly epoch: number
  readonly nowMicros: number
  readonly sha256: Chain.Sha256
  readonly minting: Minting["Service"]
}

/** Why something is written: the command, or what stands for one. */
export interface Causation {
  readonly causationId: CommandId
  readonly correlationId: string
  readonly actorText: string
  /** Milliseconds since 1970. */
  readonly at: number
}

/** What happened, as the text that will be stored. */
export interface Fact {
  readonly type: string
  readonly version: number
  readonly threadId: ThreadId | null
  readonly payload: string
}

/** Makes events of facts: numbered, dated after the one before, and linked to it. The first carries the mark. */
export const record = (
  pen: Pen,
  tail: Tail,
  cause: Causation,
  facts: ReadonlyArray<Fact>,
  mark: CommandMark | null
): { readonly events: ReadonlyArray<NewEvent>; readonly tail: Tail } => {
  const { epoch, minting, nowMicros, sha256, stream, streamId, workspaceId } = pen
  const events: Array<NewEvent> = []
  let { chain, lastRecordedAt, version } = tail
  for (const fact of facts) {
    version++
    // Time never stands still or goes back along a stream, whatever the clock does.
    lastRecordedAt = Math.max(nowMicros, lastRecordedAt + 1)
    const salt = minting.salt()
    const fields = {
      stream,
      streamId,
      workspaceId,
      seq: version,
      eventId: minting.id("Event", cause.at) as NewEvent["eventId"],
      type: fact.type,
      version: fact.version,
      actorText: cause.actorText,
      causationId: cause.causationId,
      correlationId: cause.correlationId,
      threadId: fact.threadId,
      epoch,
      recordedAt: lastRecordedAt
    }
    const commitment = Chain.commit(sha256, salt, fact.payload)
    chain = Chain.link(sha256, chain, fields, commitment)
    events.push({ ...fields, salt, commitment, chain, payload: fact.payload, mark: events.length === 0 ? mark : null })
  }
  return { events, tail: { version, chain, lastRecordedAt } }
}
