import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { join } from "node:path"
import { Backends } from "../../src/sandbox/Backends.ts"
import { makeBench, run } from "../../src/sandbox/conformance/Bench.ts"
import { none } from "../../src/sandbox/None.ts"
import type { SandboxBackend } from "../../src/sandbox/Sandbox.ts"
import { temporaryState } from "../../src/sandbox/trial.ts"

const fixture = (name: string) => join(import.meta.dirname, "fixtures", name)

const called = (name: string, usable: boolean): SandboxBackend => ({
  ...none,
  name,
  probe: Effect.map(none.probe, (probe) => ({ ...probe, usable }))
})

const open = (options: Parameters<typeof Backends.layer>[0]) =>
  Effect.map(Layer.build(Backends.layer(options)), (context) => Context.get(context, Backends))

describe("Backends", () => {
  it.effect("finds a backend by its name, and says which there are", () =>
    Effect.gen(function* () {
      const backends = yield* open({})
      assert.strictEqual((yield* backends.get("local")).name, "local")
      const { message } = yield* Effect.flip(backends.get("moon"))
      assert.strictEqual(message, "There is no sandbox backend moon; this runner has bubblewrap, local, none")
    })
  )

  it.effect("prefers bubblewrap, then local, then nothing at all", () =>
    Effect.gen(function* () {
      const best = (bubblewrap: boolean, local: boolean) =>
        Effect.gen(function* () {
          const backends = yield* open({ builtIn: [called("bubblewrap", bubblewrap), called("local", local)] })
          return (yield* backends.best).name
        })
      assert.strictEqual(yield* best(true, true), "bubblewrap")
      assert.strictEqual(yield* best(false, true), "local")
      assert.strictEqual(yield* best(false, false), "none")
    })
  )

  it.effect("waits for no backend that does not answer or that breaks, and says so of it", () =>
    Effect.gen(function* () {
      const answer = yield* Deferred.make<void>()
      let tried = 0
      const slow: SandboxBackend = {
        ...none,
        name: "slow",
        probe: Effect.suspend(() => (tried++, Effect.andThen(Deferred.await(answer), none.probe)))
      }
      const broken: SandboxBackend = { ...none, name: "broken", probe: Effect.die(new Error("no such thing")) }
      const { probes } = yield* open({ builtIn: [none, slow, broken] })
      const found = Effect.map(probes, (all) =>
        all.map(({ name, probe }) => [
          name,
          probe.usable,
          ...probe.notes,
          ...(probe.unfinished ? ["not yet known"] : [])
        ])
      )
      const waiting = yield* Effect.forkChild(Effect.andThen(found, found))
      yield* TestClock.adjust(6_000)
      yield* TestClock.adjust(6_000)
      assert.deepStrictEqual(yield* Fiber.join(waiting), [
        ["none", true, "nothing runs in it"],
        ["slow", false, "trying it takes longer than 6 s, and goes on", "not yet known"],
        ["broken", false, "trying it failed: no such thing"]
      ])
      assert.strictEqual(tried, 1)
      yield* Deferred.succeed(answer, undefined)
      assert.deepStrictEqual((yield* found)[1], ["slow", true, "nothing runs in it"])
    })
  )

  it.effect("takes an own backend from a module, and probes it like the others", () =>
    Effect.gen(function* () {
      const backends = yield* open({ builtIn: [none], modules: [fixture("own-backend.ts")] })
      assert.deepStrictEqual(
        (yield* backends.probes).map(({ name, probe }) => [name, probe.usable]),
        [
          ["none", true],
          ["own", true]
        ]
      )
    })
  )

  it.live(
    "takes a client for sandboxes of the OpenAI Agents SDK, and runs things in what it makes",
    () =>
      Effect.gen(function* () {
        const backends = yield* open({ builtIn: [none], modules: [fixture("unix-local.ts")] })
        const backend = yield* backends.get("unix-local")
        const directory = yield* temporaryState("troupe-client-")
        const bench = makeBench(backend, yield* backend.probe, join(directory, "state"), {
          variables: { PATH: "/usr/bin:/bin" }
        })
        const { sandbox } = yield* bench.make()
        const { ending, stdout } = yield* run(sandbox, "echo from its sandbox; exit 3")
        assert.deepStrictEqual([stdout, ending], ["from its sandbox\n", { _tag: "Exited", code: 3 }])
      }).pipe(Effect.scoped),
    120_000
  )

  it.effect("refuses a client that lacks something", () =>
    Effect.gen(function* () {
      const said = (module: string) =>
        Effect.map(Effect.flip(open({ builtIn: [none], modules: [fixture(module)] })), ({ message }) => message)
      assert.match(yield* said("client-with-far-network.ts"), /is elsewhere, and reaches no egress proxy of this host/)
      assert.match(yield* said("client-with-odd-network.ts"), /its `network` has to be true or false/)
      assert.match(yield* said("no-client.ts"), /its `client` has to be a SandboxClient/)
    })
  )

  it.effect("refuses a module that is none, that is not there, or whose name is taken", () =>
    Effect.gen(function* () {
      const refused = (modules: ReadonlyArray<string>) => Effect.flip(open({ builtIn: [none], modules }))
      assert.strictEqual((yield* refused([fixture("no-backend.ts")])).reason._tag, "NotABackend")
      assert.strictEqual((yield* refused([fixture("not-there.ts")])).reason._tag, "NotLoaded")
      assert.strictEqual((yield* refused([fixture("own-backend.ts"), fixture("own-backend.ts")])).reason._tag, "Twice")
    })
  )
})
