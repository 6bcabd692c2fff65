import { fromUuid, prefixes, type CommandId, type IdKind, type ThreadId, type WorkspaceId } from "@troupe/domain/Ids"
import type { Recorded, StreamKind } from "@troupe/domain/log/Envelope"
import type { Head } from "./EventStore.ts"

/** One cache for each kind of id that repeats from row to row. */
const cached = (kind: IdKind): ((uuid: string) => string) => {
  const prefix = prefixes[kind]
  const known = new Map<string, string>()
  return (uuid) => {
    const found = known.get(uuid)
    if (found !== undefined) return found
    const id = fromUuid(prefix, uuid)
    if (known.size >= 4_096) known.clear()
    known.set(uuid, id)
    return id
  }
}

export const commandIdOf = cached("Command") as (uuid: string) => CommandId
const threadIdOf = cached("Thread") as (uuid: string) => ThreadId
const workspaceIdOf = cached("Workspace") as (uuid: string) => WorkspaceId
const sessionIdOf = cached("Session")

export const kinds: ReadonlyArray<StreamKind> = ["session", "workspace"]

export const streamIdOf = (kind: number, uuid: string): string => (kind === 0 ? sessionIdOf(uuid) : workspaceIdOf(uuid))

export const hexOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex")

const traceOf = (uuid: string): string => uuid.replaceAll("-", "")

/** What `toRecorded` reads, in its order. `json` is read as text: nothing here parses or rewrites a payload. */
export const eventColumns = `kind, stream_id, workspace_id, seq, event_id, type, version, actor, causation_id,
  correlation_id, thread_id, epoch, recorded_at::float8, salt, commitment, chain, payload::text`

type Row = ReadonlyArray<unknown>

export const toRecorded = (row: Row): Recorded => ({
  stream: kinds[row[0] as number]!,
  streamId: streamIdOf(row[0] as number, row[1] as string),
  workspaceId: workspaceIdOf(row[2] as string),
  seq: row[3] as number,
  eventId: fromUuid(prefixes.Event, row[4] as string) as Recorded["eventId"],
  type: row[5] as string,
  version: row[6] as number,
  actorText: row[7] as string,
  causationId: commandIdOf(row[8] as string),
  correlationId: traceOf(row[9] as string),
  threadId: row[10] === null ? null : threadIdOf(row[10] as string),
  epoch: row[11] as number,
  recordedAt: row[12] as number,
  salt: row[13] === null ? null : hexOf(row[13] as Uint8Array),
  commitment: hexOf(row[14] as Uint8Array),
  chain: hexOf(row[15] as Uint8Array),
  payload: row[16] as string | null
})

export const headColumns =
  "kind, stream_id, workspace_id, version, epoch, chain, last_recorded_at::float8, wake_at::float8"

export const toHead = (row: Row): Head => ({
  stream: kinds[row[0] as number]!,
  streamId: streamIdOf(row[0] as number, row[1] as string),
  workspaceId: workspaceIdOf(row[2] as string),
  version: row[3] as number,
  epoch: row[4] as number,
  chain: hexOf(row[5] as Uint8Array),
  lastRecordedAt: row[6] as number,
  wakeAt: row[7] as number | null
})
