import type { CommandId, EventId, ThreadId, WorkspaceId } from "@troupe/domain/Ids"
import type { Recorded, StreamKind } from "@troupe/domain/log/Envelope"
import type { Head } from "./EventStore.ts"
import { idOf } from "./LogTypes.ts"

export const streamKinds: ReadonlyArray<StreamKind> = ["session", "workspace"]

export const streamIdOf = (kind: unknown, column: unknown): string => idOf(kind === 0 ? "Session" : "Workspace", column)

export const commandIdOf = (column: unknown) => idOf("Command", column) as CommandId

type Row = ReadonlyArray<unknown>

/** The columns of `events` that make a recorded event. */
export const eventFields = `kind, stream_id, workspace_id, seq, event_id, type, version, actor, causation_id,
  correlation_id, thread_id, epoch, recorded_at, salt, commitment, chain, payload`

/** What `toRecorded` reads, in its order. `json` is read as text: nothing here parses or rewrites a payload. */
export const eventColumns = `kind, stream_id, workspace_id, seq, event_id, type, version, actor, causation_id,
  uuid_send(correlation_id), thread_id, epoch, recorded_at::float8, salt, commitment, chain, payload::text`

export const toRecorded = (row: Row): Recorded => ({
  stream: streamKinds[row[0] as number]!,
  streamId: streamIdOf(row[0], row[1]),
  workspaceId: idOf("Workspace", row[2]) as WorkspaceId,
  seq: row[3] as number,
  eventId: idOf("Event", row[4]) as EventId,
  type: row[5] as string,
  version: row[6] as number,
  actorText: row[7] as string,
  causationId: commandIdOf(row[8]),
  correlationId: row[9] as string,
  threadId: row[10] === null ? null : (idOf("Thread", row[10]) as ThreadId),
  epoch: row[11] as number,
  recordedAt: row[12] as number,
  salt: row[13] as string | null,
  commitment: row[14] as string,
  chain: row[15] as string,
  payload: row[16] as string | null
})

export const headColumns =
  "kind, stream_id, workspace_id, version, epoch, chain, last_recorded_at::float8, wake_at::float8"

export const toHead = (row: Row): Head => ({
  stream: streamKinds[row[0] as number]!,
  streamId: streamIdOf(row[0], row[1]),
  workspaceId: idOf("Workspace", row[2]) as WorkspaceId,
  version: row[3] as number,
  epoch: row[4] as number,
  chain: row[5] as string,
  lastRecordedAt: row[6] as number,
  wakeAt: row[7] as number | null
})
