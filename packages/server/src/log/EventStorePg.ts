import * as PgClient from "@effect/sql-pg/PgClient"
import { Effect, Layer } from "effect"
import { runBatch } from "./AppendBatch.ts"
import { encode } from "./AppendRows.ts"
import { appendParameters, appendStatement, protectedFully, type Protections } from "./AppendStatement.ts"
import * as EventReads from "./EventReads.ts"
import { AppendRefused, EventStore, StoreUnavailable, type Append } from "./EventStore.ts"
import * as GroupCommit from "./GroupCommit.ts"
import * as LogConnections from "./LogConnections.ts"

const batchesInFlight = 2

const make = Effect.fnUntraced(function* (protections: Protections) {
  const client = yield* PgClient.PgClient
  const connections = yield* LogConnections.make(client.config, batchesInFlight)
  const statement = appendStatement(protections)

  const submit = yield* GroupCommit.make({
    key: (rows) => rows.append.streamId,
    bytes: (rows) => rows.bytes,
    itemsMax: 64,
    bytesMax: 1_048_576,
    inFlightMax: batchesInFlight,
    waitingItemsMax: 16_384,
    waitingBytesMax: 256 * 1_048_576,
    run: runBatch((batch) =>
      connections.appends.use((connection) => connection.queryValues(statement, appendParameters(batch)))
    ),
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

  return EventStore.of({ ...EventReads.make(connections.reads, protections), append })
})

export const layer = Layer.effect(EventStore, make(protectedFully))

/** For the tests of the tests: a store that breaks promises. */
export const layerUnsafe = (switchedOff: Partial<Protections>) =>
  Layer.effect(EventStore, make({ ...protectedFully, ...switchedOff }))
