import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { Frame } from "@troupe/domain/session/Frame"
import { Effect, Layer, Schema, Stream } from "effect"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcClient from "effect/rpc/RpcClient"
import type { RpcClientError } from "effect/rpc/RpcClientError"
import * as RpcGroup from "effect/rpc/RpcGroup"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import {
  AttemptDriver,
  AttemptGone,
  AttemptUnknown,
  EpochRefused,
  RunnerAway,
  type AttemptRef,
  type Placement,
  type RunRequest
} from "../../packages/server/src/session/AttemptDriver.ts"
import type { RunnerNote } from "../invariants/Evidence.ts"

const Anything = Schema.Any

const OutputSchema = Schema.Union([
  Schema.Struct({ _tag: Schema.Literal("Frames"), frames: Schema.Array(Frame) }),
  Schema.Struct({
    _tag: Schema.Literal("Delta"),
    blockId: Schema.String,
    offset: Schema.Int,
    text: Schema.String,
    afterFrame: Schema.Int
  }),
  Schema.Struct({ _tag: Schema.Literal("Contact") })
])

/** The scripted runner as a process of its own: what nodes die around. The real protocol comes with real runners. */
export class RemoteRunner extends RpcGroup.make(
  Rpc.make("Place", { success: Anything }),
  Rpc.make("Run", {
    payload: { request: Anything },
    success: OutputSchema,
    error: Schema.Union([RunnerAway, EpochRefused, AttemptGone]),
    stream: true
  }),
  Rpc.make("Attach", {
    payload: { attempt: Anything, afterFrame: Schema.Int },
    success: OutputSchema,
    error: Schema.Union([AttemptUnknown, RunnerAway, EpochRefused, AttemptGone]),
    stream: true
  }),
  Rpc.make("Acknowledge", { payload: { attempt: Anything, frame: Schema.Int } }),
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
        run: (request: RunRequest) =>
          client.Run({ request }).pipe(Stream.catchTag("RpcClientError", (error) => Stream.fail(away(error)))),
        attach: (attempt: AttemptRef, afterFrame) =>
          client
            .Attach({ attempt, afterFrame })
            .pipe(Stream.catchTag("RpcClientError", (error) => Stream.fail(away(error)))),
        acknowledge: (attempt, frame) => Effect.ignore(client.Acknowledge({ attempt, frame })),
        deliver: (attempt, delivery) =>
          client
            .Deliver({ attempt, delivery })
            .pipe(Effect.catchTag("RpcClientError", (error) => Effect.fail(away(error)))),
        revoke: (attempt) => Effect.ignore(client.Revoke({ attempt }))
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
