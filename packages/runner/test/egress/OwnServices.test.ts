import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { createServer, type AddressInfo } from "node:net"
import { Outbound } from "../../src/egress/Outbound.ts"
import { OwnServices } from "../../src/egress/OwnServices.ts"
import { NameUnresolved, Resolver } from "../../src/egress/Resolver.ts"

const listening = Effect.acquireRelease(
  Effect.promise(
    () =>
      new Promise<{ readonly port: number; readonly end: () => void }>((resolve) => {
        const server = createServer((socket) => socket.destroy())
        server.listen(0, "127.0.0.1", () =>
          resolve({ port: (server.address() as AddressInfo).port, end: () => server.close() })
        )
      })
  ),
  ({ end }) => Effect.sync(end)
)

describe("What is our own", () => {
  it.effect("is reached by no name and no address once a node has said so, also where it was allowed", () =>
    Effect.gen(function* () {
      const { port } = yield* listening
      const leads: Record<string, ReadonlyArray<string>> = { "db.corp": ["127.0.0.1"], "alias.example": ["127.0.0.1"] }
      const names = Layer.succeed(Resolver, {
        resolve: (name: string) => {
          const found = leads[name]
          return found === undefined
            ? Effect.fail(new NameUnresolved({ name, code: "ENOTFOUND" }))
            : Effect.succeed(found)
        }
      })
      const allowed = ["127.0.0.1", "db.corp", "alias.example"].map((host) => ({ host, port }))
      const world = Outbound.layer(allowed).pipe(Layer.provide(names), Layer.provideMerge(OwnServices.layer()))
      yield* Effect.gen(function* () {
        const outbound = yield* Outbound
        const own = yield* OwnServices
        const says = (host: string, at = port) =>
          Effect.scoped(outbound.dial({ host, port: at })).pipe(
            Effect.match({
              onFailure: (error) => ("code" in error ? error.code : error.reason),
              onSuccess: () => "there"
            })
          )
        const each = Effect.forEach(["db.corp", "alias.example", "127.0.0.1"], (host) => says(host))
        assert.deepStrictEqual(yield* each, ["there", "there", "there"])

        // By its name, and what its name leads to; what can't be read says nothing.
        yield* own.adopt([`db.corp:${port}`, "no endpoint", "also.none:99999"])
        assert.deepStrictEqual(yield* each, ["own_service", "own_service", "own_service"])

        // Who can't look it up any more knows where it was.
        delete leads["db.corp"]
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual(yield* says("alias.example"), "own_service")

        // The last node counts; the address of the host is the loopback.
        yield* own.adopt([`0.0.0.0:${port}`])
        assert.deepStrictEqual(yield* says("alias.example"), "own_service")
        yield* own.adopt([`db.corp:${port === 65_535 ? 1 : port + 1}`])
        assert.deepStrictEqual(yield* says("alias.example"), "there")
      }).pipe(Effect.provide(world))
    })
  )
})
