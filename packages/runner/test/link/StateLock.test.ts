import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { chmodSync, chownSync } from "node:fs"
import { requires } from "../../../../test/requires.ts"
import { StateLock } from "../../src/link/StateLock.ts"
import { scratch } from "../support/scratch.ts"

const locked = (directory: string) => Effect.scoped(Layer.build(StateLock.layer(directory, "test")))

requires("root")("the state directory of a runner", () => {
  it.effect("is none that another account owns, or that every account may write to", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      yield* locked(directory)
      chmodSync(directory, 0o777)
      assert.match((yield* Effect.flip(locked(directory))).message, /every account may write there/)
      chmodSync(directory, 0o700)
      chownSync(directory, 65_534, 65_534)
      const refused = yield* Effect.flip(locked(directory))
      assert.strictEqual(refused._tag, "StateUnusable")
      assert.match(refused.message, /belongs to another account \(65534\)/)
      chownSync(directory, 0, 0)
    }).pipe(Effect.scoped)
  )
})
