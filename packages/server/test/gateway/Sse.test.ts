import { assert, describe, layer, vi } from "@effect/vitest"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Context, Effect, Layer, Schedule, Scope } from "effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import { createServer } from "node:http"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { Callers } from "../../src/gateway/Callers.ts"
import * as Sse from "../../src/gateway/Sse.ts"

setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as () => void

/** What a middleware provides for a request and nobody needs for its stream. */
class Provided extends Context.Service<Provided, { readonly of: string }>()("test/Provided") {}

class Streams extends Context.Service<
  Streams,
  {
    readonly provided: Array<WeakRef<object>>
    readonly revoking: Set<() => void>
    readonly held: Set<string>
  }
>()("test/Streams") {
  static readonly layer = Layer.sync(Streams, () => Streams.of({ provided: [], revoking: new Set(), held: new Set() }))
}

const callers = Layer.effect(
  Callers,
  Effect.map(Streams, ({ revoking }) =>
    Callers.of({
      identify: () => Effect.die("nobody is asked for"),
      revoked: () => Effect.never,
      onRevoked: (_, tell) => {
        revoking.add(tell)
        return () => revoking.delete(tell)
      }
    })
  )
)

const providing = HttpRouter.middleware(
  Effect.map(
    Streams,
    ({ provided }) =>
      (app) =>
        Effect.suspend(() => {
          const service = { of: "a request" }
          provided.push(new WeakRef(service))
          return Effect.provideService(app, Provided, service)
        })
  ),
  { global: true }
)

const stream = HttpRouter.add(
  "GET",
  "/stream",
  Effect.gen(function* () {
    const { held } = yield* Streams
    const request = yield* HttpServerRequest.HttpServerRequest
    held.add(request.url)
    // Effect.addFinalizer would keep all that is provided here.
    yield* Scope.addFinalizer(
      yield* Effect.scope,
      Effect.sync(() => held.delete(request.url))
    )
    return yield* Sse.follow(request, "req_1", ({ write }) =>
      Effect.andThen(write(Sse.frame("begun", "{}")), Effect.never)
    )
  })
)

const served = HttpRouter.serve(Layer.merge(stream, providing), { disableLogger: true, disableListenLog: true }).pipe(
  Layer.provide(callers),
  Layer.provideMerge(Streams.layer),
  Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1", gracefulShutdownTimeout: 0 }))
)

const opened = Effect.gen(function* () {
  const { address } = yield* HttpServer.HttpServer
  const origin = HttpServer.formatAddress(address)
  const controller = new AbortController()
  const response = yield* Effect.promise(() => fetch(`${origin}/stream`, { signal: controller.signal }))
  const reader = response.body!.getReader()
  const next = Effect.promise(() => reader.read())
  const { value } = yield* next
  assert.strictEqual(new TextDecoder().decode(value), "event: begun\ndata: {}\n\n")
  return { next, abort: () => controller.abort() }
})

const until = (holds: () => boolean) =>
  Effect.suspend(() => (holds() ? Effect.void : Effect.fail("not yet"))).pipe(
    Effect.retry(Schedule.spaced("10 millis")),
    Effect.timeout("20 seconds")
  )

describe("a stream that thousands follow", () => {
  layer(served, { excludeTestServices: true })((it) => {
    it.effect("keeps nothing of what its request passed on the way", () =>
      Effect.gen(function* () {
        const { provided } = yield* Streams
        const { abort } = yield* opened
        yield* Effect.addFinalizer(() => Effect.sync(abort))
        assert.isAtLeast(provided.length, 1)
        yield* until(() => {
          collect()
          return provided.every((one) => one.deref() === undefined)
        })
      })
    )

    it.effect("lets go of what the request held once its reader is gone", () =>
      Effect.gen(function* () {
        const { held, revoking } = yield* Streams
        yield* until(() => held.size === 0)
        const { abort } = yield* opened
        assert.strictEqual(held.size, 1)
        assert.strictEqual(revoking.size, 1)
        abort()
        yield* until(() => held.size === 0 && revoking.size === 0)
      })
    )

    it.effect("says every fifteen seconds that it is there, until its reader is gone", () =>
      Effect.gen(function* () {
        const { held } = yield* Streams
        yield* until(() => held.size === 0)
        vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] })
        yield* Effect.addFinalizer(() => Effect.sync(() => vi.useRealTimers()))
        const { abort, next } = yield* opened
        const pings = vi.getTimerCount()
        vi.advanceTimersByTime(14_999)
        vi.advanceTimersByTime(1)
        const heard = new TextDecoder().decode((yield* next).value)
        assert.strictEqual(heard, 'event: ping\ndata: {"type":"ping"}\n\n')
        vi.advanceTimersByTime(15_000)
        assert.strictEqual(new TextDecoder().decode((yield* next).value), heard)
        abort()
        yield* until(() => held.size === 0 && vi.getTimerCount() === pings - 1)
      })
    )

    it.effect("ends when its key opens nothing any more", () =>
      Effect.gen(function* () {
        const { held, revoking } = yield* Streams
        yield* until(() => held.size === 0)
        const { next } = yield* opened
        for (const tell of revoking) tell()
        assert.isTrue((yield* next).done)
        yield* until(() => held.size === 0 && revoking.size === 0)
      })
    )
  })
})
