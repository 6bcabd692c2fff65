import * as PgClient from "@effect/sql-pg/PgClient"
import { type Duration, Effect, Layer } from "effect"
import { measured } from "./AppendMetrics.ts"
import { runBatch } from "./AppendBatch.ts"
import { encode } from "./AppendRows.ts"
import { appendStatement, protectedFully, type Protections } from "./AppendStatement.ts"
import * as EventReads from "./EventReads.ts"
import { AppendRefused, EventStore, StoreUnavailable, type Append } from "./EventStore.ts"
import * as GroupCommit from "./GroupCommit.ts"
import * as LogConnections from "./LogConnections.ts"

const batchesInFlight = 2
/** A statement costs about as much as so many appends in it, so smaller ones are not made for the sake of another one. */
const itemsWorth = 4

/** Longer than the application's `statement_timeout`: by then the server has answered, if it can. */
const answerWithin: Duration.Input = "35 seconds"

const make = Effect.fnUntraced(function* (protections: Protections, within: Duration.Input = answerWithin) {
  const client = yield* PgClient.PgClient
  const connections = yield* LogConnections.make(client.config, { appendsInFlight: batchesInFlight, within })
  const statement = appendStatement(protections)

  const run = measured(runBatch((batch) => connections.appends(...statement(batch))))
  const submit = yield* GroupCommit.make({
    key: (rows) => rows.append.streamId,
    bytes: (rows) => rows.bytes,
    itemsMax: 64,
    bytesMax: 1_048_576,
    inFlightMax: batchesInFlight,
    itemsWorth,
    waitingItemsMax: 16_384,
    waitingBytesMax: 256 * 1_048_576,
    run,
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

/** With less patience for a database that does not answer. */
export const layerImpatient = (within: Duration.Input) => Layer.effect(EventStore, make(protectedFully, within))

/** For the tests of the tests: a store that breaks promises. */
export const layerUnsafe = (switchedOff: Partial<Protections>) =>
  Layer.effect(EventStore, make({ ...protectedFully, ...switchedOff }))
