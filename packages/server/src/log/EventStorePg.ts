import * as PgClient from "@effect/sql-pg/PgClient"
import * as PgPool from "@effect/sql-pg/PgPool"
import { Effect, Layer } from "effect"
import { runBatch } from "./AppendBatch.ts"
import { encode } from "./AppendRows.ts"
import { appendParameters, appendStatement, protectedFully, type Protections } from "./AppendStatement.ts"
import * as EventReads from "./EventReads.ts"
import { AppendRefused, EventStore, StoreUnavailable, type Append } from "./EventStore.ts"
import * as GroupCommit from "./GroupCommit.ts"

const batchesInFlight = 2

/**
 * Appends have connections of their own: no slow query can keep them waiting, and these connections run one statement
 * only, so its plan can be pinned. Without that, the plan made while tables are new and small (read all of
 * `heads`) would be kept while they grow.
 */
const lane = (config: PgClient.PgClientConfig): PgPool.Config => ({
  ...config,
  maxConnections: batchesInFlight,
  idleTimeout: "10 minutes",
  startupParameters: {
    ...config.startupParameters,
    plan_cache_mode: "force_generic_plan",
    enable_seqscan: "off",
    enable_hashjoin: "off",
    enable_mergejoin: "off",
    jit: "off"
  }
})

const make = Effect.fnUntraced(function* (protections: Protections) {
  const client = yield* PgClient.PgClient
  const pool = yield* PgPool.make(lane(client.config))
  const statement = appendStatement(protections)

  const submit = yield* GroupCommit.make({
    key: (rows) => rows.append.streamId,
    bytes: (rows) => rows.bytes,
    itemsMax: 64,
    bytesMax: 1_048_576,
    inFlightMax: batchesInFlight,
    waitingItemsMax: 16_384,
    waitingBytesMax: 256 * 1_048_576,
    run: runBatch((batch) => pool.use((connection) => connection.queryValues(statement, appendParameters(batch)))),
    refused: (why): AppendRefused | StoreUnavailable =>
      new StoreUnavailable({ operation: "append", cause: new Error(`the queue of appends is ${why}`) })
  })

  const append = (append: Append) =>
    Effect.suspend(() => {
      try {
        return submit(encode(append))
      } catch (cause) {
        const detail = cause instanceof Error ? cause.message : String(cause)
        return Effect.fail(new AppendRefused({ streamId: append.streamId, reason: { _tag: "BadData", detail } }))
      }
    })

  return EventStore.of({ ...EventReads.make(client, protections), append })
})

export const layer = Layer.effect(EventStore, make(protectedFully))

/** For the tests of the tests: a store that breaks promises. */
export const layerUnsafe = (switchedOff: Partial<Protections>) =>
  Layer.effect(EventStore, make({ ...protectedFully, ...switchedOff }))
