import { Schema } from "effect"
import { Actor } from "../Actor.ts"
import { CommandId, EventId, ThreadId, WorkspaceId } from "../Ids.ts"

/** The two kinds of log: what happened in a session, and what happened to a workspace's configuration. */
export const StreamKind = Schema.Literals(["session", "workspace"])
export type StreamKind = typeof StreamKind.Type

/** SHA-256 as 64 lower-case hexadecimal digits. */
export const Sha256Hex = Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/))

/**
 * What every event knows beside its payload. The fields down to `epoch` are hashed, in the order of `Chain.link`;
 * `xid` and `position` place the event among those of all streams and are not, since a restore may renumber them.
 */
export const Envelope = Schema.Struct({
  eventId: EventId,
  stream: StreamKind,
  streamId: Schema.String,
  workspaceId: WorkspaceId,
  seq: Schema.Int,
  type: Schema.String,
  version: Schema.Int,
  actor: Actor,
  /** The command that led to this event. */
  causationId: CommandId,
  /** One id over everything that belongs to one outside request: 32 hexadecimal digits, as in a trace. */
  correlationId: Schema.String,
  threadId: Schema.NullOr(ThreadId),
  epoch: Schema.Int,
  /** Microseconds since 1970; grows strictly along `seq`. */
  recordedAt: Schema.Int,
  /** Null once redacted: without it, nobody can try out what the payload may have said. */
  salt: Schema.NullOr(Schema.String),
  commitment: Sha256Hex,
  chain: Sha256Hex
})
export type Envelope = typeof Envelope.Type

/**
 * An event as it is stored: the envelope with its actor as the exact JSON text that was hashed, and the exact text of the
 * payload (null once redacted).
 */
export interface Recorded extends Omit<Envelope, "actor"> {
  readonly actorText: string
  readonly payload: string | null
}

/** What a command left behind on its first event, so that a retry gets the first answer. */
export interface CommandMark {
  readonly commandId: CommandId
  /** SHA-256 of the command's canonical body: the same id with another body is refused. */
  readonly digest: string
  /** The body, with content that is in an event of this command replaced by `{"$event": offset, "path": [field]}`. */
  readonly body: string
}
