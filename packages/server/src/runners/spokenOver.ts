import { sinceOf } from "@troupe/domain/runner/Protocol"
import { Effect, Stream } from "effect"
import { type CallTag, RunnerFault, type StreamTag } from "./Calls.ts"
import type { Connection } from "./Connection.ts"

type Whole = Connection<CallTag, StreamTag>

/** The connection of a runner that speaks this version: what came later is not sent, and fails as what the runner can't do. */
export const spokenOver = (connection: Whole, version: number): Whole => {
  const unknown = (runnerId: string, call: string) =>
    sinceOf(call) > version ? new RunnerFault({ runnerId, call, speaks: version }) : null
  const call = (runnerId: string, tag: CallTag, payload: never): Effect.Effect<unknown, unknown> => {
    const fault = unknown(runnerId, tag)
    return fault === null ? connection.call(runnerId, tag, payload) : Effect.fail(fault)
  }
  const stream = (runnerId: string, tag: StreamTag, payload: never): Stream.Stream<unknown, unknown> => {
    const fault = unknown(runnerId, tag)
    return fault === null ? connection.stream(runnerId, tag, payload) : Stream.fail(fault)
  }
  return { ...connection, call: call as never, stream: stream as never }
}
