import type { EventId } from "@troupe/domain/Ids"
import type { BlobRef } from "@troupe/domain/session/Content"
import type { FrameBody } from "@troupe/domain/session/Frame"
import { type Effect, Schema } from "effect"

/** The journal can't take another frame: its quota is used up, or the disk is full. The attempt ends with this. */
export class JournalFull extends Schema.TaggedError<JournalFull>()("JournalFull", {
  attemptId: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `The journal of ${this.attemptId} can take no more: ${this.detail}`
  }
}

/** What an attempt says, in order. A frame is on disk before it is sent, and kept until it is in the log. */
export interface AttemptFrames {
  /** Journals one frame, and has it sent; its number, once it is on disk. */
  readonly emit: (body: FrameBody) => Effect.Effect<number, JournalFull>
  /**
   * The same, for a frame on which nothing waits: it is on disk no later than the next one that is emitted, and soon in any
   * case. What is said while a disk turns out to be full is missed at the next word, or by `written`.
   */
  readonly say: (body: FrameBody) => Effect.Effect<void, JournalFull>
  /** Passes once all that was said is on disk. */
  readonly written: Effect.Effect<void, JournalFull>
  /** Waits until the frame of this number is in the log: the intent gate. */
  readonly committed: (frame: number) => Effect.Effect<void>
  /** Text on its way, after the last frame emitted. It may be lost. */
  readonly delta: (blockId: EventId, offset: number, text: string) => void
  /** The model has begun to think, after the last frame emitted. That may be lost as well. */
  readonly thinks: (blockId: EventId) => void
  /** Passes while the contact lease holds, waits otherwise: no tool and no model request begins without a node in reach. */
  readonly mayBegin: Effect.Effect<void>
  /** Keeps beside the log what a frame is to name; null where it can't be kept. Absent: this agent has nothing kept. */
  readonly keep?: (value: unknown) => Effect.Effect<BlobRef | null, JournalFull>
}
