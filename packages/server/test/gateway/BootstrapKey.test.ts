import { assert, describe, it } from "@effect/vitest"
import { scopes } from "@troupe/domain/api/Workspace"
import { Effect, Layer, Option, Redacted } from "effect"
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as BootstrapKey from "../../src/gateway/BootstrapKey.ts"
import { Minting } from "../../src/log/Minting.ts"
import * as Runners from "../../src/runners/Runners.ts"
import { Tokens } from "../../src/runners/Tokens.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const services = Runners.registry.pipe(
  Layer.provideMerge(Minting.layer),
  Layer.provideMerge(TestDatabase.layerApp()),
  Layer.provide(TestDatabase.layer())
)

const inHome = <A, E, R>(use: (home: string) => Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "troupe-key-"))),
    (home) => use(join(home, "state")),
    (home) => Effect.sync(() => rmSync(home, { recursive: true }))
  )

const start = (home: string, given = Option.none<Redacted.Redacted>()) =>
  Effect.scoped(Layer.build(BootstrapKey.layer(home, given)))

const opens = (key: string) =>
  Effect.flatMap(Tokens, (tokens) => tokens.authenticate("api_key", Option.some(Redacted.make(key))))

describe("the first key", { timeout: 120_000 }, () => {
  it.live("is made once, kept for its owner alone, and opens everything", () =>
    inHome((home) =>
      Effect.gen(function* () {
        yield* start(home)
        const file = join(home, "api_key")
        assert.strictEqual(statSync(file).mode & 0o777, 0o600)
        assert.strictEqual(statSync(home).mode & 0o777, 0o700)
        const key = readFileSync(file, "utf8").trim()
        assert.match(key, /^trp_key_\S{43}$/)
        assert.deepStrictEqual((yield* opens(key)).scopes, [...scopes])
        yield* start(home)
        assert.strictEqual(readFileSync(file, "utf8").trim(), key)
        const tokens = yield* Tokens
        assert.strictEqual((yield* tokens.list((yield* opens(key)).workspaceId)).length, 1)
      })
    ).pipe(Effect.provide(services))
  )

  it.live("is the one that is given, and then none is written", () =>
    inHome((home) =>
      Effect.gen(function* () {
        const given = `mine-${"x".repeat(40)}`
        yield* start(home, Option.some(Redacted.make(given)))
        assert.strictEqual((yield* opens(given)).name, "bootstrap")
        assert.throws(() => statSync(join(home, "api_key")))
      })
    ).pipe(Effect.provide(services))
  )

  it.live("says what is wrong with a file that can't be used", () =>
    inHome((home) =>
      Effect.gen(function* () {
        writeFileSync(home, "not a directory")
        chmodSync(home, 0o600)
        const error = yield* Effect.flip(start(home))
        assert.strictEqual(error._tag, "KeyFileUnusable")
        assert.match(error.message, /TROUPE_API_KEY/)
      })
    ).pipe(Effect.provide(services))
  )
})
