import * as NodeSocket from "@effect/platform-node/NodeSocket"
import {
  AttemptGone,
  type AttemptRef,
  AttemptUnknown,
  EpochRefused,
  Output,
  RunnerAway
} from "@troupe/domain/runner/Attempt"
import { Effect, Layer, Schema, Stream } from "effect"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcClient from "effect/rpc/RpcClient"
import type { RpcClientError } from "effect/rpc/RpcClientError"
import * as RpcGroup from "effect/rpc/RpcGroup"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import { AttemptDriver, type AttemptOrder, type Placement } from "../../packages/server/src/session/AttemptDriver.ts"
import type { RunnerNote } from "../invariants/Evidence.ts"

const Anything = Schema.Any

/** The scripted runner as a process of its own: what nodes die around. The real protocol comes with real runners. */
export class RemoteRunner extends RpcGroup.make(
  Rpc.make("Place", { success: Anything }),
  Rpc.make("Run", {
    payload: { request: Anything },
    success: Output,
    error: Schema.Union([RunnerAway, EpochRefused, AttemptGone]),
    stream: true
  }),
  Rpc.make("Attach", {
    payload: { attempt: Anything, afterFrame: Schema.Int },
    success: Output,
    error: Schema.Union([AttemptUnknown, RunnerAway, EpochRefused, AttemptGone]),
    stream: true
  }),
  Rpc.make("Acknowledge", { payload: { attempt: Anything, frame: Schema.Int, contact: Schema.Int } }),
  Rpc.make("Deliver", {
    payload: { attempt: Anything, delivery: Anything },
    error: Schema.Union([AttemptUnknown, RunnerAway, EpochRefused])
  }),
  Rpc.make("Revoke", { payload: { attempt: Anything } }),
  /** What it really did, for the judge. */
  Rpc.make("Notes", { success: Schema.Array(Anything) })
) {}

const away = (error: RpcClientError) => new RunnerAway({ runnerId: error.message })

/** A node's way to the runner process at `url`. */
export const layerDriver = (url: string) =>
  Layer.effect(
    AttemptDriver,
    Effect.gen(function* () {
      const client = yield* RpcClient.make(RemoteRunner)
      const placement: Effect.Effect<Placement, RpcClientError> = client.Place()
      return AttemptDriver.of({
        place: () =>
          Effect.catch(placement, () => Effect.succeed<Placement>({ _tag: "Waiting", reason: "no runner answers" })),
        run: (request: AttemptOrder) =>
          client.Run({ request }).pipe(Stream.catchTag("RpcClientError", (error) => Stream.fail(away(error)))),
        attach: (attempt: AttemptRef, afterFrame) =>
          client
            .Attach({ attempt, afterFrame })
            .pipe(Stream.catchTag("RpcClientError", (error) => Stream.fail(away(error)))),
        acknowledge: (attempt, heard) => Effect.ignore(client.Acknowledge({ attempt, ...heard })),
        deliver: (attempt, delivery) =>
          client
            .Deliver({ attempt, delivery })
            .pipe(Effect.catchTag("RpcClientError", (error) => Effect.fail(away(error)))),
        revoke: (attempt) => Effect.ignore(client.Revoke({ attempt })),
        // It has no places.
        takeAway: () => Effect.void
      })
    })
  ).pipe(Layer.provide(layerProtocol(url)))

function layerProtocol(url: string) {
  return RpcClient.layerProtocolSocket({ retryTransientErrors: true }).pipe(
    Layer.provide(NodeSocket.layerWebSocket(url)),
    Layer.provide(RpcSerialization.layerNdjson)
  )
}

/** The runner's own notes, fetched by the test. */
export const fetchNotes = (url: string): Promise<ReadonlyArray<RunnerNote>> =>
  Effect.runPromise(
    Effect.gen(function* () {
      const client = yield* RpcClient.make(RemoteRunner)
      return (yield* client.Notes()) as ReadonlyArray<RunnerNote>
    }).pipe(Effect.scoped, Effect.provide(layerProtocol(url)))
  )
