import type { CommandRejected } from "@troupe/domain/session/SessionCommand"
import { Schema } from "effect"

/** Too much is waiting: nothing was done, try again after a while. */
export class Overloaded extends Schema.TaggedError<Overloaded>()("Overloaded", {
  sessionId: Schema.String,
  retryAfterMs: Schema.Int
}) {
  override get message() {
    return `Session ${this.sessionId} has too many commands waiting; try again in ${this.retryAfterMs} ms`
  }
}

/** Another node owns the session now. Nothing was done; the same command reaches the owner when it is sent again. */
export class SessionMoved extends Schema.TaggedError<SessionMoved>()("SessionMoved", {
  sessionId: Schema.String
}) {
  override get message() {
    return `Session ${this.sessionId} moved to another node; send the command again`
  }
}

/** Storage did not answer. Whether the command was done shows when it is sent again under the same id. */
export class SessionUnavailable extends Schema.TaggedError<SessionUnavailable>()("SessionUnavailable", {
  sessionId: Schema.String,
  retryAfterMs: Schema.Int
}) {
  override get message() {
    return `Session ${this.sessionId} can't reach its storage; send the command again with the same id`
  }
}

/** The same command id came with another body. */
export class CommandIdReused extends Schema.TaggedError<CommandIdReused>()("CommandIdReused", {
  commandId: Schema.String
}) {
  override get message() {
    return `Command ${this.commandId} was sent before with another body`
  }
}

/** The command was refused before, for a reason that this release can't read. It is decided only once. */
export class ReceiptUnreadable extends Schema.TaggedError<ReceiptUnreadable>()("ReceiptUnreadable", {
  commandId: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `What was answered to command ${this.commandId} can't be read: ${this.detail}`
  }
}

export class CommandTooLarge extends Schema.TaggedError<CommandTooLarge>()("CommandTooLarge", {
  bytes: Schema.Int,
  bytesMax: Schema.Int
}) {
  override get message() {
    return `The command has ${this.bytes} bytes; at most ${this.bytesMax} are taken`
  }
}

/** The database does not take what this command carries. */
export class CommandUnstorable extends Schema.TaggedError<CommandUnstorable>()("CommandUnstorable", {
  commandId: Schema.String,
  /** Where in the command's body the text stands that is not taken, if that is why. */
  field: Schema.optionalKey(Schema.String),
  detail: Schema.String
}) {
  override get message() {
    const where = this.field === undefined ? "" : ` for its ${this.field}`
    return `Command ${this.commandId} can't be stored${where}: ${this.detail}`
  }
}

/** The session's log holds something this release can't read: it opens read-only, and says why and where. */
export class SessionUnreadable extends Schema.TaggedError<SessionUnreadable>()("SessionUnreadable", {
  sessionId: Schema.String,
  seq: Schema.Int,
  reason: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `The log of ${this.sessionId} can't be read at ${this.seq} (${this.reason}): ${this.detail}`
  }
}

/**
 * The command would write a type of event that some node, of an older release, can't read yet. Nothing was done; it will be
 * taken once that node is gone.
 */
export class EventNotReadableYet extends Schema.TaggedError<EventNotReadableYet>()("EventNotReadableYet", {
  sessionId: Schema.String,
  type: Schema.String
}) {
  override get message() {
    return `${this.type} can't be written to ${this.sessionId} yet: a node of an older release, which can't read it, is still there`
  }
}

/** A command that broke the code that decides it. The session lives on; the command changed nothing. */
export class CommandBroken extends Schema.TaggedError<CommandBroken>()("CommandBroken", {
  commandId: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `Command ${this.commandId} could not be decided: ${this.detail}`
  }
}

/** Why a session did not take a command, or could not. */
export type SessionError =
  | CommandRejected
  | CommandIdReused
  | ReceiptUnreadable
  | CommandTooLarge
  | CommandUnstorable
  | CommandBroken
  | EventNotReadableYet
  | Overloaded
  | SessionMoved
  | SessionUnavailable
  | SessionUnreadable

/** No node answered in time. Whether the command was done shows when it is sent again under the same id. */
export class SessionNotReached extends Schema.TaggedError<SessionNotReached>()("SessionNotReached", {
  sessionId: Schema.String,
  retryAfterMs: Schema.Int
}) {
  override get message() {
    return `No node answered for session ${this.sessionId} in time; send the command again with the same id`
  }
}
