import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { join } from "node:path"
import { Backends } from "../../src/sandbox/Backends.ts"
import { none } from "../../src/sandbox/None.ts"
import type { SandboxBackend } from "../../src/sandbox/Sandbox.ts"

const fixture = (name: string) => join(import.meta.dirname, "fixtures", name)

const called = (name: string, usable: boolean): SandboxBackend => ({
  ...none,
  name,
  probe: Effect.map(none.probe, (probe) => ({ ...probe, usable }))
})

const open = (options: Parameters<typeof Backends.layer>[0]) =>
  Effect.provide(Effect.service(Backends), Backends.layer(options))

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

  it.effect("refuses a module that is none, that is not there, or whose name is taken", () =>
    Effect.gen(function* () {
      const refused = (modules: ReadonlyArray<string>) => Effect.flip(open({ builtIn: [none], modules }))
      assert.strictEqual((yield* refused([fixture("no-backend.ts")])).reason._tag, "NotABackend")
      assert.strictEqual((yield* refused([fixture("not-there.ts")])).reason._tag, "NotLoaded")
      assert.strictEqual((yield* refused([fixture("own-backend.ts"), fixture("own-backend.ts")])).reason._tag, "Twice")
    })
  )
})
