import type { CommandId, EventId, IdKind, WorkspaceId } from "@troupe/domain/Ids"
import { genesis } from "@troupe/domain/log/Chain"
import type { CommandMark } from "@troupe/domain/log/Envelope"
import type { SummaryRow } from "@troupe/domain/session/Summary"
import { Effect } from "effect"
import { hash, randomFillSync } from "node:crypto"
import { EventStore, type Append, type NewEvent, type Rejection } from "../../src/log/EventStore.ts"
import { Minting } from "../../src/log/Minting.ts"
import { record, type Tail } from "../../src/log/Recorder.ts"

export const minting = Minting.make((bytes) => randomFillSync(bytes))
export const sha256 = (text: string): string => hash("sha256", text, "hex")
export const newId = (kind: IdKind): string => minting.id(kind, Date.now())
export const newCommandId = () => newId("Command") as CommandId
export const newInputId = () => newId("Event") as EventId
export const newWorkspaceId = () => newId("Workspace") as WorkspaceId

export const markOf = (commandId = newCommandId(), body = "{}"): CommandMark => ({
  commandId,
  digest: sha256(body),
  body
})

export const rejectionOf = (commandId: CommandId, version: number, recordedAt = 1): Rejection => ({
  ...markOf(commandId),
  reason: `{"_tag":"No"}`,
  recordedAt,
  version
})

export interface Plan {
  readonly payloads?: ReadonlyArray<string>
  readonly mark?: CommandMark | null
  readonly rejections?: ReadonlyArray<Rejection>
  readonly inputIds?: ReadonlyArray<EventId>
  readonly wakeAt?: number | null
  readonly summary?: SummaryRow | null
  readonly actorText?: string
  readonly at?: Partial<Tail & { readonly epoch: number }>
}

/** Someone who owns a stream, knows where it stands, and makes appends for it. */
export class LogWriter {
  readonly streamId: string
  readonly workspaceId: WorkspaceId
  readonly shard: number
  epoch = 0
  tail: Tail = { version: 0, chain: genesis, lastRecordedAt: 0 }

  constructor(
    options: { readonly workspaceId?: WorkspaceId; readonly streamId?: string; readonly shard?: number } = {}
  ) {
    this.streamId = options.streamId ?? newId("Session")
    this.workspaceId = options.workspaceId ?? newWorkspaceId()
    this.shard = options.shard ?? 1
  }

  /** An append of one event unless told otherwise. */
  plan({
    actorText = `{"type":"system"}`,
    at = {},
    inputIds = [],
    mark = null,
    payloads = ["{}"],
    rejections = [],
    ...rest
  }: Plan = {}): Append {
    const tail = { ...this.tail, ...at }
    const epoch = at.epoch ?? this.epoch
    const { streamId, workspaceId } = this
    const stream = "session" as const
    const pen = { stream, streamId, workspaceId, epoch, nowMicros: Date.now() * 1_000, sha256, minting }
    const causationId = mark?.commandId ?? newCommandId()
    const cause = { causationId, correlationId: minting.salt(), actorText, at: Date.now() }
    const facts = payloads.map((payload) => ({ type: "Tested", version: 1, threadId: null, payload }))
    const { events } = record(pen, tail, cause, facts, mark)
    const { summary = null, wakeAt = null } = rest
    const expectedVersion = tail.version
    return { stream, streamId, workspaceId, epoch, expectedVersion, events, rejections, inputIds, wakeAt, summary }
  }

  readonly open = Effect.gen({ self: this }, function* () {
    const store = yield* EventStore
    const { shard, streamId, workspaceId } = this
    const head = yield* store.create({ stream: "session", streamId, workspaceId, shard })
    this.epoch = head.epoch
    return head
  })

  /** Plans, appends, and goes on from there. */
  readonly write = Effect.fnUntraced({ self: this }, function* (plan: Plan = {}) {
    const store = yield* EventStore
    const append = this.plan(plan)
    yield* store.append(append)
    this.advance(append.events)
    return append
  })

  advance(events: ReadonlyArray<NewEvent>) {
    const last = events.at(-1)
    if (last !== undefined) this.tail = { version: last.seq, chain: last.chain, lastRecordedAt: last.recordedAt }
  }
}

/** A writer whose stream is open. */
export const opened = (options?: ConstructorParameters<typeof LogWriter>[0]) =>
  Effect.suspend(() => {
    const writer = new LogWriter(options)
    return Effect.as(writer.open, writer)
  })

export const summaryOf = (changes: Partial<SummaryRow> = {}): SummaryRow => ({
  status: "idle",
  statusReason: "end_turn",
  title: "A title",
  agentId: newId("Agent"),
  agentVersion: 1,
  environmentId: null,
  projectId: null,
  parentId: null,
  deploymentId: null,
  origin: "api",
  createdBy: "somebody",
  endUser: null,
  visibility: "workspace",
  externalThreadKey: null,
  labels: ["a", "b"],
  metadata: { key: "value" },
  costMicroUsd: 12,
  tokens: 3,
  turns: 1,
  openRequests: 0,
  createdAt: 1,
  updatedAt: 2,
  archivedAt: null,
  deletedAt: null,
  ...changes
})
