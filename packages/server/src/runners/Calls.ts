import type { RunnerAway } from "@troupe/domain/runner/Attempt"
import { RunnerRpc } from "@troupe/domain/runner/RunnerRpc"
import { type Effect, Schema, type Stream } from "effect"
import type * as Rpc from "effect/rpc/Rpc"
import type * as RpcGroup from "effect/rpc/RpcGroup"

/** What one node may ask of a runner through another: all but what belongs to the link itself. */
export class RelayedRpc extends RunnerRpc.omit("Hello", "Settle", "Ping", "Drain", "Places", "Asks", "AnswerAsk") {}

type Rpcs = RpcGroup.Rpcs<typeof RunnerRpc>
type Tag = Rpcs["_tag"]
type One<T extends Tag> = Rpc.ExtractTag<Rpcs, T>
type Streamed = { [T in Tag]: [Rpc.IsStream<Rpcs, T>] extends [never] ? never : T }[Tag]
type Relayed = RpcGroup.Rpcs<typeof RelayedRpc>["_tag"]

export type StreamTag = Streamed
export type CallTag = Exclude<Tag, Streamed>
export type RelayedStreamTag = Extract<Relayed, Streamed>
export type RelayedCallTag = Exclude<Relayed, Streamed>

export type Asked<T extends Tag> = Rpc.Payload<One<T>>
export type Told<T extends CallTag> = Rpc.Success<One<T>>
export type CallError<T extends CallTag> = Rpc.Error<One<T>> | RunnerAway | RunnerFault
export type Streaming<T extends StreamTag> =
  Rpc.Success<One<T>> extends Stream.Stream<infer A, infer E, infer _R>
    ? Stream.Stream<A, E | RunnerAway | RunnerFault>
    : never

/** What the runner sent can't be read, or it broke on the call. Its link goes on; what it said is not repeated here. */
export class RunnerFault extends Schema.TaggedError<RunnerFault>()("RunnerFault", {
  runnerId: Schema.String,
  call: Schema.String,
  /** The runner speaks this version, and the call came later: it was not asked. */
  speaks: Schema.optionalKey(Schema.Int)
}) {
  override get message() {
    if (this.speaks !== undefined) {
      return `Runner ${this.runnerId} speaks version ${this.speaks} of the protocol, which has no ${this.call}: update it`
    }
    return `Runner ${this.runnerId} broke on ${this.call}, or answered what can't be read`
  }
}

/** Runners that can be called, by their ids. */
export interface Calls<C extends CallTag, S extends StreamTag> {
  readonly call: <T extends C>(runnerId: string, tag: T, payload: Asked<T>) => Effect.Effect<Told<T>, CallError<T>>
  /** One that is not read holds nothing else up: its runner sends no more until it is. */
  readonly stream: <T extends S>(runnerId: string, tag: T, payload: Asked<T>) => Streaming<T>
}
