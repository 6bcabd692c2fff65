import { RunnerAway } from "@troupe/domain/runner/Attempt"
import { Cause, Deferred, Effect, Queue, Schedule, type Scope, Stream } from "effect"
import * as RpcClient from "effect/rpc/RpcClient"
import type * as RpcGroup from "effect/rpc/RpcGroup"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as Socket from "effect/socket/Socket"
import { type Calls, type CallTag, RunnerFault, type StreamTag } from "./Calls.ts"
import * as FlowControl from "@troupe/domain/rpc/FlowControl"
import { unanswered } from "@troupe/domain/rpc/unanswered"

/** Why a connection ended, as its other side is told. */
export interface Closing {
  readonly code: number
  readonly reason: string
}

export interface Connection<C extends CallTag, S extends StreamTag> extends Calls<C, S> {
  readonly closed: Effect.Effect<Closing>
  readonly isClosed: () => boolean
  /** Ends all that goes on over it. The first reason counts. */
  readonly close: (code: number, reason: string) => Effect.Effect<void>
}

export interface ConnectionOptions {
  /** A call names its runner in this header, where many are behind the connection. */
  readonly runnerHeader?: string
  /** How often the transport itself asks whether the other side is there. */
  readonly pingInterval: number
}

/** The largest message that is read: what is larger ends the connection. */
export const messageBytesMax = 16 * 1_048_576

export const serialization = RpcSerialization.layerSchemaBinary({ maxFrameSize: messageBytesMax })

type AnyClient = Record<
  string,
  (
    payload: unknown,
    options: object
  ) => Effect.Effect<Queue.Dequeue<unknown, unknown>> & Effect.Effect<unknown, unknown>
>

/** What is told and not asked: nobody waits for an answer, and none is sent. */
const told: ReadonlySet<string> = new Set(["Acknowledge"])

const gone: Closing = { code: 1006, reason: "the connection broke" }

/** The client's side of a socket. What comes over it that is no message of the protocol ends it. */
export const make = Effect.fnUntraced(function* <C extends CallTag, S extends StreamTag>(
  group: RpcGroup.RpcGroup<never>,
  socket: Socket.Socket,
  options: ConnectionOptions
): Effect.fn.Return<Connection<C, S>, never, RpcSerialization.RpcSerialization | Scope.Scope> {
  const inner = yield* RpcSerialization.RpcSerialization
  const closed = yield* Deferred.make<Closing>()
  const writer = yield* socket.writer
  const settle = (closing: Closing) => Deferred.doneUnsafe(closed, Effect.succeed(closing))

  const close = (code: number, reason: string) =>
    Effect.suspend(() =>
      settle({ code, reason })
        ? Effect.ignore(Effect.timeout(writer.write(new Socket.CloseEvent(code, reason)), 1_000))
        : Effect.void
    )

  const fork = Effect.runForkWith(yield* Effect.context<never>())
  const garbage = close(4400, "what came is no message of the protocol")
  const unreadable = (run: () => ReadonlyArray<unknown>): ReadonlyArray<unknown> => {
    try {
      return run()
    } catch (defect) {
      fork(garbage)
      throw defect
    }
  }
  const guarded: RpcSerialization.RpcSerialization["Service"] = {
    ...inner,
    makeUnsafe: () => {
      const parser = inner.makeUnsafe()
      const decode = (data: Uint8Array | string) => {
        if (typeof data === "string") throw new Error("the protocol knows no text")
        return parser.decode(data)
      }
      return { ...parser, decode: (data) => unreadable(() => decode(data)) }
    }
  }
  const transport = yield* RpcClient.makeProtocolSocket({
    retryTransientErrors: false,
    retryPolicy: Schedule.recurs(0),
    pingInterval: options.pingInterval
  }).pipe(
    Effect.provideService(Socket.Socket, socket),
    Effect.provideService(RpcSerialization.RpcSerialization, guarded),
    Effect.provideService(RpcClient.ConnectionHooks, {
      onConnect: Effect.void,
      onDisconnect: Effect.sync(() => settle(gone))
    })
  )
  const flow = FlowControl.make(unanswered(transport))
  const client = (yield* RpcClient.make(group, { disableTracing: true }).pipe(
    Effect.provideService(RpcClient.Protocol, flow.protocol)
  )) as unknown as AnyClient
  // Before the client's own end, which interrupts what is under way: that reads as what it is then.
  yield* Effect.addFinalizer(() => Effect.sync(() => settle(gone)))

  const isClosed = () => Deferred.isDoneUnsafe(closed)

  const explain = (runnerId: string, call: string) => (cause: Cause.Cause<unknown>) => {
    const error = Cause.findErrorOption(cause)
    if (error._tag === "Some" && !isTagged(error.value, "RpcClientError")) return error.value
    // A side that ends interrupts what it serves, and says so while it still can.
    if (error._tag === "Some" || isClosed() || Cause.hasInterruptsOnly(cause)) return new RunnerAway({ runnerId })
    return new RunnerFault({ runnerId, call })
  }

  const headers = (runnerId: string, more: Record<string, string> = {}) => ({
    headers: options.runnerHeader === undefined ? more : { ...more, [options.runnerHeader]: runnerId }
  })

  const call = (runnerId: string, tag: string, payload: unknown) =>
    Effect.suspend(() =>
      isClosed()
        ? Effect.fail(new RunnerAway({ runnerId }))
        : client[tag]!(payload, { ...headers(runnerId), discard: told.has(tag) })
    ).pipe(Effect.catchCause((cause) => Effect.fail(explain(runnerId, tag)(cause))))

  const stream = (runnerId: string, tag: string, payload: unknown) =>
    Stream.unwrap(
      Effect.gen(function* () {
        if (isClosed()) return Stream.fail(new RunnerAway({ runnerId }))
        const { gate, name } = yield* flow.open
        const queue = yield* client[tag]!(payload, {
          asQueue: true,
          streamBufferSize: Number.MAX_SAFE_INTEGER,
          ...headers(runnerId, { [FlowControl.gateHeader]: name })
        })
        gate.queue = queue
        const take = Queue.takeAll(queue).pipe(Effect.tap(FlowControl.caughtUp(gate)))
        return Stream.fromPull(Effect.succeed(take))
      })
    ).pipe(Stream.catchCause((cause) => Stream.fail(explain(runnerId, tag)(cause))))

  return { closed: Deferred.await(closed), isClosed, close, call: call as never, stream: stream as never }
})

const isTagged = (error: unknown, tag: string): boolean =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === tag
