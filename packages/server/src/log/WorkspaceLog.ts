import { toUuid, type WorkspaceId } from "@troupe/domain/Ids"
import type { CommandMark } from "@troupe/domain/log/Envelope"
import { Clock, Context, Effect, Layer, Option } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { NewEvent } from "./EventStore.ts"
import { Minting } from "./Minting.ts"
import { record, type Causation, type Fact, type Tail } from "./Recorder.ts"
import { sha256 } from "./sha256.ts"

/**
 * The log of a workspace: its audit trail. Every change of agents, keys, members and the like appends to it in the
 * transaction of its table, so that neither is ever there without the other. Writers of all nodes take turns at the
 * head row until their transactions end.
 */
export class WorkspaceLog extends Context.Service<
  WorkspaceLog,
  {
    /** Within the caller's transaction, or in one of its own. The first event carries the mark. */
    readonly append: (options: {
      readonly workspaceId: WorkspaceId
      readonly cause: Causation
      readonly facts: ReadonlyArray<Fact>
      readonly mark?: CommandMark
    }) => Effect.Effect<ReadonlyArray<NewEvent>, SqlError>
  }
>()("server/WorkspaceLog") {
  static readonly layer: Layer.Layer<WorkspaceLog, never, SqlClient.SqlClient | Minting> = Layer.effect(
    WorkspaceLog,
    Effect.suspend(() => make)
  )
}

/** Workspaces have no owner to be fenced: the lock on the head row is what orders their writers. */
const epoch = 1
const kind = 1

const bytes = (hex: string) => Buffer.from(hex, "hex")
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const minting = yield* Minting

  const lockHead = (workspace: string) =>
    Effect.map(
      sql<{ readonly version: number; readonly chain: Uint8Array; readonly lastRecordedAt: number }>`
        INSERT INTO heads AS h (stream_id, workspace_id, kind, shard, epoch)
        VALUES (${workspace}, ${workspace}, ${kind}, 0, ${epoch})
        ON CONFLICT (stream_id) DO UPDATE SET epoch = h.epoch
        RETURNING version, chain, last_recorded_at::float8 AS "lastRecordedAt"`,
      ([row]): Tail => ({ ...row!, chain: hex(row!.chain) })
    )

  const columns = (workspace: string, event: NewEvent): Record<string, string | number | Uint8Array | null> => ({
    stream_id: workspace,
    kind,
    workspace_id: workspace,
    epoch,
    seq: event.seq,
    event_id: toUuid(event.eventId)!,
    type: event.type,
    version: event.version,
    actor: event.actorText,
    causation_id: toUuid(event.causationId)!,
    correlation_id: event.correlationId,
    recorded_at: event.recordedAt,
    salt: bytes(event.salt),
    commitment: bytes(event.commitment),
    chain: bytes(event.chain),
    command_id: event.mark === null ? null : toUuid(event.mark.commandId)!,
    command_digest: event.mark === null ? null : bytes(event.mark.digest),
    command_body: event.mark?.body ?? null,
    payload: event.payload
  })

  const write = Effect.fnUntraced(function* (options: Parameters<WorkspaceLog["Service"]["append"]>[0]) {
    const { cause, facts, mark, workspaceId } = options
    const workspace = toUuid(workspaceId)!
    const tail = yield* lockHead(workspace)
    const nowMicros = (yield* Clock.currentTimeMillis) * 1_000
    const pen = { stream: "workspace" as const, streamId: workspaceId, workspaceId, epoch, nowMicros, sha256, minting }
    const written = record(pen, tail, cause, facts, mark ?? null)
    const { chain, lastRecordedAt, version } = written.tail
    for (const event of written.events) yield* sql`INSERT INTO events ${sql.insert(columns(workspace, event))}`
    yield* sql`
      UPDATE heads SET version = ${version}, chain = ${bytes(chain)}, last_recorded_at = ${lastRecordedAt}
      WHERE stream_id = ${workspace}`
    return written.events
  })

  const append = Effect.fn("WorkspaceLog.append")(function* (options: Parameters<typeof write>[0]) {
    if (options.facts.length === 0) return []
    const transaction = yield* Effect.serviceOption(sql.transactionService)
    return yield* Option.isSome(transaction) ? write(options) : sql.withTransaction(write(options))
  })

  return WorkspaceLog.of({ append })
})
