import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Redacted } from "effect"
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { MasterKeys } from "../../src/secrets/MasterKeys.ts"
import { SecretBox } from "../../src/secrets/SecretBox.ts"

const old = "o".repeat(32)
const fresh = "n".repeat(32)

const withKeys = <A, E>(keys: string | null, work: Effect.Effect<A, E, SecretBox>, home = "/nonexistent") =>
  Effect.provide(
    work,
    SecretBox.layer.pipe(
      Layer.provide(MasterKeys.layer(home, keys === null ? Option.none() : Option.some(Redacted.make(keys))))
    )
  )

const seal = (place: string, text: string) => Effect.flatMap(SecretBox, (box) => box.seal(place, Redacted.make(text)))
const open = (place: string, sealed: Uint8Array) =>
  Effect.flatMap(SecretBox, (box) => Effect.map(box.open(place, sealed), Redacted.value))

describe("SecretBox", () => {
  it.effect("opens what it sealed, and seals the same twice in two ways", () =>
    Effect.gen(function* () {
      const one = yield* withKeys(fresh, seal("card a", "sk-ä-secret"))
      const two = yield* withKeys(fresh, seal("card a", "sk-ä-secret"))
      assert.notDeepEqual(one, two)
      assert.notInclude(Buffer.from(one).toString("latin1"), "secret")
      assert.strictEqual(yield* withKeys(fresh, open("card a", one)), "sk-ä-secret")
    })
  )

  it.effect("opens with a key that was changed, and seals with the new one", () =>
    Effect.gen(function* () {
      const before = yield* withKeys(old, seal("a", "one"))
      assert.strictEqual(yield* withKeys(`${fresh}, ${old}`, open("a", before)), "one")
      const after = yield* withKeys(`${fresh},${old}`, seal("a", "two"))
      assert.strictEqual(yield* withKeys(fresh, open("a", after)), "two")
      const refused = yield* Effect.flip(withKeys(fresh, open("a", before)))
      assert.match(refused.message, /no key [0-9a-f]{16}; name it in TROUPE_MASTER_KEY/)
    })
  )

  it.effect("does not open what was changed, cut, or belongs elsewhere", () =>
    Effect.gen(function* () {
      const sealed = yield* withKeys(fresh, seal("a", "one"))
      const spoiled = Buffer.from(sealed)
      spoiled[spoiled.length - 1]! ^= 1
      for (const [place, bytes] of [
        ["b", sealed],
        ["a", spoiled],
        ["a", sealed.subarray(0, 20)],
        ["a", Buffer.of()],
        ["a", Buffer.concat([Buffer.of(9), sealed.subarray(1)])]
      ] as const) {
        assert.strictEqual((yield* Effect.flip(withKeys(fresh, open(place, bytes))))._tag, "SecretSealed")
      }
    })
  )

  it.effect("has a key of its own, made when it is first needed, for its owner's eyes", () =>
    Effect.gen(function* () {
      const home = mkdtempSync(join(tmpdir(), "troupe-secrets-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(home, { recursive: true })))
      const file = join(home, "master_key")
      const sealed = yield* withKeys(null, seal("a", "one"), home)
      assert.strictEqual(statSync(file).mode & 0o777, 0o600)
      assert.strictEqual(yield* withKeys(null, open("a", sealed), home), "one")
      assert.strictEqual(yield* withKeys(readFileSync(file, "utf8").trim(), open("a", sealed)), "one")
    })
  )

  it.effect("refuses keys that could be guessed", () =>
    Effect.gen(function* () {
      for (const keys of ["short", `${fresh},short`, ""]) {
        const refused = yield* Effect.flip(withKeys(keys, seal("a", "one")))
        assert.strictEqual(refused._tag, "MasterKeyUnusable")
        if (keys !== "") assert.notInclude(refused.message, keys)
      }
    })
  )
})
