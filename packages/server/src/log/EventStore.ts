import type { CommandId, EventId, WorkspaceId } from "@troupe/domain/Ids"
import type { CommandMark, Recorded, StreamKind } from "@troupe/domain/log/Envelope"
import type { Committed } from "@troupe/domain/log/EventCodec"
import type { SummaryRow } from "@troupe/domain/session/Summary"
import { Context, Schema, type Effect, type Option } from "effect"

/** Where a stream stands: one row, updated by nothing but claims and appends. */
export interface Head {
  readonly stream: StreamKind
  readonly streamId: string
  readonly workspaceId: WorkspaceId
  readonly version: number
  readonly epoch: number
  readonly chain: string
  readonly lastRecordedAt: number
  /** When the owner wants to be woken, in milliseconds since 1970; 0 while a turn is live; null for never. */
  readonly wakeAt: number | null
}

/** An event ready to be stored. The first event of a client's command carries the command's mark. */
export interface NewEvent extends Recorded {
  readonly payload: string
  readonly salt: string
  readonly mark: CommandMark | null
}

/** A command that was refused for good: kept, so that its retry is refused alike. */
export interface Rejection extends CommandMark {
  readonly reason: string
  readonly recordedAt: number
  /** The version it was decided at. */
  readonly version: number
}

export interface Append {
  readonly stream: StreamKind
  readonly streamId: string
  readonly workspaceId: WorkspaceId
  readonly epoch: number
  /** `seq` of the event before the first one here. */
  readonly expectedVersion: number
  readonly events: ReadonlyArray<NewEvent>
  readonly rejections: ReadonlyArray<Rejection>
  /** Of the inputs that these events take: each is taken once in the life of a stream. */
  readonly inputIds: ReadonlyArray<EventId>
  readonly wakeAt: number | null
  readonly summary: SummaryRow | null
}

/** What was answered to a command the first time. */
export type Receipt =
  | { readonly _tag: "Accepted"; readonly commandId: CommandId; readonly digest: string; readonly seq: number }
  | { readonly _tag: "Rejected"; readonly commandId: CommandId; readonly digest: string; readonly reason: string }

/**
 * A client's command as it was answered. Accepted commands that changed nothing leave no trace, and neither do refusals
 * that may pass.
 */
export interface AnsweredCommand extends Omit<CommandMark, "body"> {
  /** Null once redacted. */
  readonly body: string | null
  /** The version it was decided at: an accepted command's first event is the next one. */
  readonly version: number
  /** Why it was rejected; null where it was accepted. */
  readonly rejection: string | null
}

export interface Due {
  readonly streamId: string
  readonly wakeAt: number
}

/** A place in the order of all streams' events. Position breaks ties inside a transaction. */
export interface Cursor {
  readonly xid: string
  readonly position: string
}

/** Payloads of a page come to so many bytes at most, and those of its last event. */
export const pageBytesMax = 4 * 1_048_576

/** Before the first event. */
export const beginning: Cursor = { xid: "0", position: "0" }

export interface Placed {
  readonly cursor: Cursor
  readonly event: Recorded
}

/** Why an append changed nothing. Each is an expected outcome, told per append, whatever batch it travelled in. */
export class AppendRefused extends Schema.TaggedError<AppendRefused>()("AppendRefused", {
  streamId: Schema.String,
  reason: Schema.TaggedUnion({
    /** A newer activation owns the stream: the writer stops and never tries again. */
    Fenced: { epoch: Schema.Int },
    /** The version moved under the same epoch: an earlier answer was lost. Read the tail and decide again. */
    VersionConflict: { version: Schema.Int },
    /** These commands were answered before: their receipts tell how. */
    Duplicate: { commandIds: Schema.Array(Schema.String) },
    /** Inputs with these ids were taken before, by other commands. */
    InputTaken: { inputIds: Schema.Array(Schema.String) },
    /** The database does not take this data (a NUL in a text column, for instance). */
    BadData: { detail: Schema.String },
    /** Another session of the workspace has this external thread key of this origin. */
    ExternalKeyTaken: {},
    /** Nobody opened this stream, in this workspace. */
    NoStream: {}
  })
}) {
  override get message() {
    return `The append to ${this.streamId} changed nothing: ${this.reason._tag}`
  }
}

/** The database did not answer, or said that it can't now. Whether a write took place is unknown. */
export class StoreUnavailable extends Schema.TaggedError<StoreUnavailable>()("StoreUnavailable", {
  operation: Schema.String,
  cause: Schema.Defect()
}) {
  override get message() {
    return `The event store did not complete ${this.operation}`
  }
}

/** What a stream folded to at a version, as whoever saved it wrote it. */
export interface Snapshot {
  readonly version: number
  readonly state: string
}

export class EventStore extends Context.Service<
  EventStore,
  {
    readonly head: (streamId: string) => Effect.Effect<Option.Option<Head>, StoreUnavailable>
    /** Takes the next epoch: from the answer on, no earlier owner can write. None where the stream does not exist. */
    readonly claim: (streamId: string) => Effect.Effect<Option.Option<Head>, StoreUnavailable>
    /** Makes the stream at version 0 (if it is not there yet) and takes the next epoch. */
    readonly create: (options: {
      readonly stream: StreamKind
      readonly streamId: string
      readonly workspaceId: WorkspaceId
      readonly shard: number
    }) => Effect.Effect<Head, StoreUnavailable>
    /** All events and rejections or none, and only while the stream is at that epoch and version. Committed when it returns. */
    readonly append: (append: Append) => Effect.Effect<void, AppendRefused | StoreUnavailable>
    /**
     * Events after `after`, in order: at most `limit`, and fewer where they are large. Only an empty page is the end.
     */
    readonly read: (
      streamId: string,
      options: { readonly after: number; readonly limit: number }
    ) => Effect.Effect<ReadonlyArray<Recorded>, StoreUnavailable>
    /** The same, with nothing but what a fold needs: most of what `read` costs is the rest. */
    readonly readToFold: (
      streamId: string,
      options: { readonly after: number; readonly limit: number }
    ) => Effect.Effect<ReadonlyArray<Committed>, StoreUnavailable>
    /**
     * Events of all streams after `cursor`, gap-free: what may still commit before an event holds that event back. Pages
     * are cut as those of `read` are.
     */
    readonly readAll: (options: {
      readonly after: Cursor
      readonly limit: number
    }) => Effect.Effect<ReadonlyArray<Placed>, StoreUnavailable>
    /** What was answered to these commands before; those that are absent were never answered for good. */
    readonly receipts: (
      streamId: string,
      commandIds: ReadonlyArray<CommandId>
    ) => Effect.Effect<ReadonlyArray<Receipt>, StoreUnavailable>
    /**
     * The answered commands of a stream after another, for verifying decisions: by the version they were decided at,
     * rejections first, since these left the version as it was; then by id, which is by time.
     */
    readonly commands: (
      streamId: string,
      options: { readonly after: AnsweredCommand | null; readonly limit: number }
    ) => Effect.Effect<ReadonlyArray<AnsweredCommand>, StoreUnavailable>
    /** Streams of these shards whose `wakeAt` has come, the longest due first; the next page comes after a row of the last. */
    readonly due: (options: {
      readonly shards: ReadonlyArray<number>
      readonly nowMs: number
      readonly after: Due | null
      readonly limit: number
    }) => Effect.Effect<ReadonlyArray<Due>, StoreUnavailable>
    /** Versions of many streams at once, for readers that check what they were told. */
    readonly versions: (
      streamIds: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyMap<string, number>, StoreUnavailable>
    /** The newest snapshot written by this fold version, if any. A cache: deletable at any time. */
    readonly snapshot: (
      streamId: string,
      foldVersion: number
    ) => Effect.Effect<Option.Option<Snapshot>, StoreUnavailable>
    /** The same, with the first page to fold of what comes after it: one answer to whoever begins with nothing. */
    readonly restore: (
      streamId: string,
      options: { readonly foldVersion: number; readonly limit: number }
    ) => Effect.Effect<
      { readonly snapshot: Option.Option<Snapshot>; readonly events: ReadonlyArray<Committed> },
      StoreUnavailable
    >
    readonly saveSnapshot: (snapshot: {
      readonly streamId: string
      readonly foldVersion: number
      readonly version: number
      readonly state: string
    }) => Effect.Effect<void, StoreUnavailable>
  }
>()("server/EventStore") {}
