import { toUuid, toWords, type Words } from "@troupe/domain/Ids"
import type { SummaryRow } from "@troupe/domain/session/Summary"
import type { Append, NewEvent } from "./EventStore.ts"

/** What the database does not take, found before it is asked. */
export class BadValue extends Error {}

const hex32 = /^[0-9a-f]{32}$/
const int32Max = 2_147_483_647

// Most ids of an append repeat: stream, workspace, causation, thread.
const known = new Map<string, Words>()
const knownMax = 4_096

const words = (field: string, id: string): Words => {
  const found = toWords(id)
  if (found === undefined) throw new BadValue(`${field} is no id of ours`)
  return found
}

const repeated = (field: string, id: string): Words => {
  const before = known.get(id)
  if (before !== undefined) return before
  const found = words(field, id)
  if (known.size >= knownMax) known.clear()
  known.set(id, found)
  return found
}

const traceWords = (trace: string): Words => {
  if (!hex32.test(trace)) throw new BadValue("correlationId is not 32 hexadecimal digits")
  const word = (at: number) => Number.parseInt(trace.slice(at, at + 8), 16)
  return [word(0), word(8), word(16), word(24)]
}

const sha256Bytes = (field: string, hex: string): Uint8Array => {
  const bytes = Buffer.from(hex, "hex")
  if (hex.length !== 64 || bytes.length !== 32) throw new BadValue(`${field} is not a SHA-256`)
  return bytes
}

const saltBytes = (salt: string): Uint8Array => {
  if (salt.length % 2 !== 0) throw new BadValue("salt is not hexadecimal")
  const bytes = Buffer.from(salt, "hex")
  if (bytes.length * 2 !== salt.length) throw new BadValue("salt is not hexadecimal")
  return bytes
}

const int = (field: string, value: number, max = int32Max): number => {
  if (!Number.isInteger(value) || value < 0 || value > max) throw new BadValue(`${field} is out of range`)
  return value
}

const large = (field: string, value: number): number => int(field, value, Number.MAX_SAFE_INTEGER)
const bigint = (field: string, value: number): bigint => BigInt(large(field, value))

/** Half a surrogate pair has no UTF-8: the bytes would not be those that were hashed. */
const text = (field: string, value: string): string => {
  if (!value.isWellFormed()) throw new BadValue(`${field} is not well-formed`)
  return value
}

/** The columns of `events`, in the order of the statement's parameters. */
const eventRow = (
  event: NewEvent,
  { epoch, expectedVersion, streamId, workspaceId }: Append,
  index: number
): ReadonlyArray<unknown> => {
  if (event.seq !== expectedVersion + 1 + index) throw new BadValue("seq does not follow the expected version")
  if (event.streamId !== streamId || event.workspaceId !== workspaceId || event.epoch !== epoch) {
    throw new BadValue("an event was made for another append")
  }
  const { mark } = event
  return [
    event.seq,
    words("eventId", event.eventId),
    text("type", event.type),
    int("version", event.version, 32_767),
    text("actor", event.actorText),
    repeated("causationId", event.causationId),
    traceWords(event.correlationId),
    event.threadId === null ? null : repeated("threadId", event.threadId),
    bigint("recordedAt", event.recordedAt),
    saltBytes(event.salt),
    sha256Bytes("commitment", event.commitment),
    sha256Bytes("chain", event.chain),
    mark === null ? null : repeated("commandId", mark.commandId),
    mark === null ? null : sha256Bytes("digest", mark.digest),
    mark === null ? null : text("body", mark.body),
    text("payload", event.payload)
  ]
}

const uuid = (field: string, id: string | null): string | null => {
  const text = id === null ? null : toUuid(id)
  if (text === undefined) throw new BadValue(`${field} is no id of ours`)
  return text
}

/** As `jsonb_populate_record` takes it: keyed by column. Written seldom, so it may be parsed. */
const sessionJson = ({ streamId, workspaceId }: Append, row: SummaryRow): string =>
  JSON.stringify({
    session_id: uuid("streamId", streamId),
    workspace_id: uuid("workspaceId", workspaceId),
    status: row.status,
    status_reason: row.statusReason,
    title: row.title,
    agent_id: uuid("agentId", row.agentId),
    agent_version: int("agentVersion", row.agentVersion),
    environment_id: uuid("environmentId", row.environmentId),
    project_id: uuid("projectId", row.projectId),
    parent_id: uuid("parentId", row.parentId),
    deployment_id: uuid("deploymentId", row.deploymentId),
    origin: row.origin,
    created_by: row.createdBy,
    end_user: row.endUser,
    visibility: row.visibility,
    external_thread_key: row.externalThreadKey,
    labels: row.labels,
    metadata: row.metadata,
    cost_micro_usd: row.costMicroUsd === null ? null : large("costMicroUsd", row.costMicroUsd),
    tokens: large("tokens", row.tokens),
    turns: int("turns", row.turns),
    open_requests: int("openRequests", row.openRequests),
    created_at: large("createdAt", row.createdAt),
    updated_at: large("updatedAt", row.updatedAt),
    archived_at: row.archivedAt === null ? null : large("archivedAt", row.archivedAt),
    deleted_at: row.deletedAt === null ? null : large("deletedAt", row.deletedAt)
  })

/** An append as the rows that it makes, each in the order of the statement's parameters. */
export interface AppendRows {
  readonly append: Append
  readonly head: ReadonlyArray<unknown>
  readonly events: ReadonlyArray<ReadonlyArray<unknown>>
  readonly rejections: ReadonlyArray<ReadonlyArray<unknown>>
  readonly commandIds: ReadonlyArray<Words>
  readonly inputIds: ReadonlyArray<Words>
  readonly session: string | null
  readonly bytes: number
}

const rowOverhead = 300

/** Throws `BadValue`. */
export const encode = (append: Append): AppendRows => {
  const { events, rejections } = append
  const last = events.at(-1)
  const rows = events.map((event, index) => eventRow(event, append, index))
  let bytes = rowOverhead
  for (const event of events) bytes += rowOverhead + event.payload.length + (event.mark?.body.length ?? 0)
  for (const rejection of rejections) bytes += rowOverhead + rejection.body.length
  const commandIds: Array<Words> = []
  for (const { mark } of events) if (mark !== null) commandIds.push(repeated("commandId", mark.commandId))
  for (const { commandId } of rejections) commandIds.push(repeated("commandId", commandId))
  if (commandIds.length > 1 && new Set(commandIds.map(String)).size < commandIds.length) {
    throw new BadValue("a command is answered twice")
  }
  if (new Set(append.inputIds).size < append.inputIds.length) throw new BadValue("an input is taken twice")
  return {
    append,
    bytes,
    commandIds,
    inputIds: append.inputIds.map((inputId) => words("inputId", inputId)),
    events: rows,
    head: [
      repeated("streamId", append.streamId),
      repeated("workspaceId", append.workspaceId),
      int("epoch", append.epoch),
      int("expectedVersion", append.expectedVersion),
      events.length,
      last === undefined ? null : sha256Bytes("chain", last.chain),
      last === undefined ? null : bigint("recordedAt", last.recordedAt),
      append.wakeAt === null ? null : bigint("wakeAt", Math.floor(append.wakeAt))
    ],
    rejections: rejections.map((rejection) => [
      repeated("commandId", rejection.commandId),
      sha256Bytes("digest", rejection.digest),
      int("version", rejection.version),
      bigint("recordedAt", rejection.recordedAt),
      text("reason", rejection.reason),
      text("body", rejection.body)
    ]),
    session: append.summary === null ? null : sessionJson(append, append.summary)
  }
}
