import * as NodeSocket from "@effect/platform-node/NodeSocket"
import type { Ask, Answer } from "@troupe/domain/runner/Asks"
import type { Hello, Verdict } from "@troupe/domain/runner/Hello"
import { spoken } from "@troupe/domain/runner/Protocol"
import { RunnerRpc } from "@troupe/domain/runner/RunnerRpc"
import { Effect, Exit, Layer, Queue, Redacted, Scope, Stream } from "effect"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as RpcServer from "effect/rpc/RpcServer"
import * as Socket from "effect/socket/Socket"
import * as SocketServer from "effect/socket/SocketServer"
import type { AttemptDriver } from "../../src/session/AttemptDriver.ts"

type Handlers = Partial<Record<string, (payload: never) => unknown>>

export interface DialingRunnerOptions {
  /** `http://host:port` of a node's gateway. */
  readonly gateway: string
  readonly credential: Redacted.Redacted
  readonly hello?: Partial<Hello>
  /** What does the work. */
  readonly driver?: AttemptDriver["Service"]
  /** Answers of its own, by call. */
  readonly handlers?: Handlers
}

/** A connection that a runner dialled. */
export interface Dialled {
  /** Passes when a node has greeted the runner, with the generation of the connection. */
  readonly greeted: Promise<number>
  /** How long nodes said that it may work without being heard. */
  readonly leases: ReadonlyArray<number | undefined>
  /** What they said is theirs. */
  readonly ours: ReadonlyArray<string>
  /** Why it ended. */
  readonly ended: Promise<{ readonly code: number; readonly reason: string }>
  readonly settled: ReadonlyArray<Verdict>
  readonly calls: ReadonlyArray<string>
  readonly answers: ReadonlyMap<string, Answer>
  readonly ask: (ask: Ask) => void
  /** Sends bytes that are no message. */
  readonly send: (bytes: Uint8Array | string) => Promise<void>
  /** Ends it without a word. */
  readonly cut: () => Promise<void>
}

export const harness = (name: string) => ({ name, version: "1", usable: true, notes: [], details: {} })

export const hello: Hello = {
  version: spoken.max,
  release: "test",
  bootId: "boot",
  journalId: "journal",
  name: "runner",
  labels: [],
  capacity: { attempts: 100, sessions: 100 },
  harnesses: [harness("scripted")],
  sandboxes: [harness("none")],
  defaultSandbox: "none",
  models: [],
  draining: false,
  attempts: []
}

const nothing = () => Effect.void

/** Serves what is asked, and fails what nobody answers. */
const handlersOf = (options: DialingRunnerOptions, seen: (call: string) => void, own: Handlers): never => {
  const { driver } = options
  const attempts: Handlers =
    driver === undefined
      ? {}
      : {
          Run: (request: { readonly calls: unknown }) =>
            Stream.rechunk(driver.run({ ...request, turn: { calls: request.calls } } as never), 1),
          Attach: ({ afterFrame, attempt }: { attempt: never; afterFrame: number }) =>
            Stream.rechunk(driver.attach(attempt, afterFrame), 1),
          Acknowledge: ({ attempt, ...heard }: { attempt: never; frame: number; contact: number }) =>
            driver.acknowledge(attempt, heard),
          Deliver: ({ attempt, delivery }: { attempt: never; delivery: never }) => driver.deliver(attempt, delivery),
          Revoke: ({ attempt }: { attempt: never }) => driver.revoke(attempt)
        }
  const all: Handlers = {
    Ping: () => Effect.succeed({ attempts: 0, sessions: 0, draining: false }),
    Drain: nothing,
    Places: () => Effect.succeed([]),
    ...attempts,
    ...own,
    ...options.handlers
  }
  return Object.fromEntries(
    [...RunnerRpc.requests.keys()].map((tag) => [
      tag,
      (payload: never) => {
        seen(tag)
        return all[tag]?.(payload) ?? Effect.die(`nobody answers ${tag}`)
      }
    ])
  ) as never
}

/** Dials a node once and serves RunnerRpc over the connection, as a real runner does. */
export const dial = async (options: DialingRunnerOptions): Promise<Dialled> => {
  const scope = Scope.makeUnsafe()
  const asks = Effect.runSync(Queue.unbounded<Ask>())
  const settled: Array<Verdict> = []
  const calls: Array<string> = []
  const leases: Array<number | undefined> = []
  const ours: Array<string> = []
  const answers = new Map<string, Answer>()
  const greeted = Promise.withResolvers<number>()
  const ended = Promise.withResolvers<{ code: number; reason: string }>()
  let socket: Socket.Socket | undefined

  const own: Handlers = {
    Hello: (greeting: {
      readonly generation: number
      readonly contactLeaseMs?: number
      readonly ours?: ReadonlyArray<string>
    }) =>
      Effect.sync(() => {
        const { contactLeaseMs, generation } = greeting
        ours.push(...(greeting.ours ?? []))
        leases.push(contactLeaseMs)
        greeted.resolve(generation)
        return { ...hello, ...options.hello }
      }),
    Settle: ({ verdicts }: { readonly verdicts: ReadonlyArray<Verdict> }) =>
      Effect.sync(() => void settled.push(...verdicts)),
    Asks: () => Stream.fromQueue(asks).pipe(Stream.rechunk(1)),
    AnswerAsk: ({ answer, askId }: { readonly askId: string; readonly answer: Answer }) =>
      Effect.sync(() => void answers.set(askId, answer))
  }
  const end = (code: number, reason: string) => {
    ended.resolve({ code, reason })
    greeted.reject(new Error(`The connection ended before its greeting: ${code} ${reason}`))
  }
  greeted.promise.catch(() => undefined)

  const sockets = Layer.effect(
    SocketServer.SocketServer,
    Effect.gen(function* () {
      const url = `${options.gateway.replace(/^http/, "ws")}/v1/runners/connect`
      const made = yield* Socket.makeWebSocket(url, {
        headers: { authorization: `Bearer ${Redacted.value(options.credential)}` }
      })
      socket = made
      const reader = Effect.tapError(made.reader, (error) => Effect.sync(() => end(0, error.message))).pipe(
        Effect.map(({ pull, upgrade }) => ({
          upgrade,
          pull: Effect.tapError(pull, ({ reason }) =>
            Effect.sync(() =>
              reason._tag === "SocketCloseError" ? end(reason.code, reason.closeReason ?? "") : end(1006, reason._tag)
            )
          )
        }))
      )
      return SocketServer.SocketServer.of({
        address: undefined as never,
        run: (handler) =>
          Effect.andThen(
            Effect.exit(Effect.scoped(handler(Socket.make({ reader, writer: made.writer })))),
            Effect.never
          )
      })
    })
  )
  const rpc = RpcServer.layer(RunnerRpc, { disableTracing: true, disableFatalDefects: true }).pipe(
    Layer.provide(RunnerRpc.toLayer(handlersOf(options, (call) => calls.push(call), own))),
    Layer.provide(RpcServer.layerProtocolSocketServer),
    Layer.provide([sockets, RpcSerialization.layerSchemaBinary({ maxFrameSize: "unbounded" })]),
    Layer.provide(NodeSocket.layerWebSocketConstructor)
  )
  await Effect.runPromise(Layer.buildWithScope(rpc, scope))
  const write = (bytes: Uint8Array | string) =>
    Effect.runPromise(Effect.scoped(Effect.flatMap(socket!.writer, (writer) => writer.write(bytes))))
  return {
    greeted: greeted.promise,
    ended: ended.promise,
    settled,
    leases,
    ours,
    calls,
    answers,
    ask: (ask) => void Queue.offerUnsafe(asks, ask),
    send: write,
    cut: async () => {
      await Effect.runPromise(Scope.close(scope, Exit.void))
      end(1000, "cut")
    }
  }
}
