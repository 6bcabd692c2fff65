import { assert, layer } from "@effect/vitest"
import * as PgClient from "@effect/sql-pg/PgClient"
import { Effect, Layer, Option } from "effect"
import { randomBytes } from "node:crypto"
import { blobBytesMax, BlobStore } from "../../src/log/BlobStore.ts"
import * as BlobStorePg from "../../src/log/BlobStorePg.ts"
import { newWorkspaceId, sha256 } from "../support/LogWriter.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const conformance = (name: string, blobs: Layer.Layer<BlobStore>) =>
  layer(blobs, { excludeTestServices: true })(name, (it) => {
    it.effect("gives back what was put, under its hash", () =>
      Effect.gen(function* () {
        const blobs = yield* BlobStore
        const workspace = newWorkspaceId()
        const bytes = new TextEncoder().encode("hello")
        const name = yield* blobs.put(workspace, bytes, "text/plain")
        assert.strictEqual(name, sha256("hello"))
        const found = Option.getOrThrow(yield* blobs.get(workspace, name))
        assert.deepStrictEqual([...found.bytes], [...bytes])
        assert.strictEqual(found.mediaType, "text/plain")
      })
    )

    it.effect("stores the same once, in each workspace for itself", () =>
      Effect.gen(function* () {
        const blobs = yield* BlobStore
        const [mine, theirs] = [newWorkspaceId(), newWorkspaceId()]
        const bytes = randomBytes(1_000)
        const put = blobs.put(mine, bytes, "image/png")
        const names = yield* Effect.all(
          Array.from({ length: 8 }, () => put),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(new Set(names).size, 1)
        assert.isTrue(Option.isNone(yield* blobs.get(theirs, names[0]!)))
        yield* blobs.put(theirs, bytes, "text/plain")
        assert.strictEqual(Option.getOrThrow(yield* blobs.get(mine, names[0]!)).mediaType, "image/png")
      })
    )

    it.effect("takes nothing, and a lot", () =>
      Effect.gen(function* () {
        const blobs = yield* BlobStore
        const workspace = newWorkspaceId()
        for (const bytes of [new Uint8Array(), randomBytes(33_000_001)]) {
          const name = yield* blobs.put(workspace, bytes, "application/octet-stream")
          const found = Option.getOrThrow(yield* blobs.get(workspace, name))
          assert.strictEqual(Buffer.compare(Buffer.from(found.bytes), Buffer.from(bytes)), 0)
        }
        const error = yield* Effect.flip(blobs.put(workspace, new Uint8Array(blobBytesMax + 1), "x/y"))
        assert.strictEqual(error._tag, "BlobTooLarge")
      })
    )

    it.effect("does not know what nobody put", () =>
      Effect.gen(function* () {
        const blobs = yield* BlobStore
        for (const name of [sha256("nothing"), "nonsense", ""]) {
          assert.isTrue(Option.isNone(yield* blobs.get(newWorkspaceId(), name)))
        }
      })
    )

    it.effect("tells which of many are missing, in one workspace", () =>
      Effect.gen(function* () {
        const blobs = yield* BlobStore
        const [mine, theirs] = [newWorkspaceId(), newWorkspaceId()]
        const put = yield* blobs.put(mine, randomBytes(10), "x/y")
        const absent = sha256("absent")
        assert.deepStrictEqual(yield* blobs.missing(mine, [absent, put, "nonsense", absent]), [absent, "nonsense"])
        assert.deepStrictEqual(yield* blobs.missing(theirs, [put]), [put])
        assert.deepStrictEqual(yield* blobs.missing(mine, []), [])
      })
    )
  })

conformance("BlobStore in memory", BlobStore.layerMemory)

const Owned = BlobStorePg.layer.pipe(
  Layer.provideMerge(TestDatabase.layerOwner()),
  Layer.provide(TestDatabase.layer()),
  Layer.orDie
)

conformance(
  "BlobStore in Postgres",
  BlobStorePg.layer.pipe(Layer.provide(TestDatabase.layerApp()), Layer.provide(TestDatabase.layer()), Layer.orDie)
)

layer(Layer.fresh(Owned), { excludeTestServices: true })("a blob that was tampered with", (it) => {
  it.effect("is noticed", () =>
    Effect.gen(function* () {
      const blobs = yield* BlobStore
      const sql = yield* PgClient.PgClient
      const workspace = newWorkspaceId()
      const name = yield* blobs.put(workspace, new TextEncoder().encode("hello"), "text/plain")
      yield* sql`UPDATE blobs SET bytes = ${new TextEncoder().encode("hullo")}`
      const error = yield* Effect.flip(blobs.get(workspace, name))
      assert.strictEqual(error._tag, "BlobCorrupt")
    })
  )
})
