import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Layer, Option, Redacted, Stream } from "effect"
import { randomBytes } from "node:crypto"
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Contents, type Range } from "../../src/files/Contents.ts"
import * as ContentsFilesystem from "../../src/files/ContentsFilesystem.ts"
import * as ContentsPg from "../../src/files/ContentsPg.ts"
import * as ContentsS3 from "../../src/files/ContentsS3.ts"
import { stage } from "../../src/files/Staging.ts"
import { newWorkspaceId } from "../support/LogWriter.ts"
import { s3Server } from "../support/S3Server.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

type Workspace = ReturnType<typeof newWorkspaceId>

const scratch = (): string => mkdtempSync(join(tmpdir(), "troupe-contents-"))
const directory = Effect.acquireRelease(Effect.sync(scratch), (path) =>
  Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const put = (workspace: Workspace, bytes: Uint8Array) =>
  Effect.scoped(
    Effect.gen(function* () {
      const contents = yield* Contents
      const staged = yield* stage(contents.staging, 100_000_000, Stream.make(bytes))
      yield* contents.put(workspace, staged)
      return staged
    })
  )

const get = Effect.fnUntraced(function* (workspaceId: Workspace, sha256: string, bytes: number, range?: Range) {
  const contents = yield* Contents
  const found = yield* contents.read({ workspaceId, sha256, bytes }, range ?? { offset: 0, length: bytes })
  if (Option.isNone(found)) return null
  return Buffer.concat(yield* Stream.runCollect(found.value))
})

/** What every store of content is held to. */
const conformance = (name: string, contents: Layer.Layer<Contents>) =>
  layer(contents, { excludeTestServices: true, timeout: 60_000 })(name, (it) => {
    it.effect("gives back what was put, whole and in part", () =>
      Effect.gen(function* () {
        const workspace = newWorkspaceId()
        const bytes = randomBytes(9_000_001)
        const { sha256 } = yield* put(workspace, bytes)
        assert.isTrue(bytes.equals((yield* get(workspace, sha256, bytes.length))!))
        const ranges = [
          [0, 1],
          [8_999_999, 2],
          [4_194_303, 2],
          [4_194_304, 4_194_304],
          [100, 0]
        ] as const
        for (const [offset, length] of ranges) {
          const part = yield* get(workspace, sha256, bytes.length, { offset, length })
          assert.isTrue(bytes.subarray(offset, offset + length).equals(part!), `${offset} ${length}`)
        }
      })
    )

    it.effect("takes nothing at all", () =>
      Effect.gen(function* () {
        const workspace = newWorkspaceId()
        const { sha256 } = yield* put(workspace, new Uint8Array())
        assert.strictEqual((yield* get(workspace, sha256, 0))!.length, 0)
      })
    )

    it.effect("stores the same once, whoever comes at the same time, and in each workspace for itself", () =>
      Effect.gen(function* () {
        const [mine, theirs] = [newWorkspaceId(), newWorkspaceId()]
        const bytes = randomBytes(5_000_000)
        const all = yield* Effect.all(
          Array.from({ length: 4 }, () => put(mine, bytes)),
          { concurrency: "unbounded" }
        )
        const { sha256 } = all[0]!
        assert.isTrue(bytes.equals((yield* get(mine, sha256, bytes.length))!))
        assert.isNull(yield* get(theirs, sha256, bytes.length))
      })
    )

    it.effect("removes it, and has it again once it is put again", () =>
      Effect.gen(function* () {
        const { remove } = yield* Contents
        const [mine, theirs] = [newWorkspaceId(), newWorkspaceId()]
        const bytes = randomBytes(1_000)
        const { sha256 } = yield* put(mine, bytes)
        yield* put(theirs, bytes)
        yield* remove(mine, sha256)
        yield* remove(mine, sha256)
        assert.isNull(yield* get(mine, sha256, bytes.length))
        assert.isTrue(bytes.equals((yield* get(theirs, sha256, bytes.length))!))
        yield* put(mine, bytes)
        assert.isTrue(bytes.equals((yield* get(mine, sha256, bytes.length))!))
      })
    )

    it.effect("leaves nothing of what was staged", () =>
      Effect.gen(function* () {
        const { staging } = yield* Contents
        yield* Effect.exit(stage(staging, 10, Stream.make(randomBytes(6), randomBytes(6))).pipe(Effect.scoped))
        const broken = Stream.concat(Stream.make(randomBytes(6)), Stream.fail("gone" as const))
        assert.strictEqual(yield* Effect.flip(Effect.scoped(stage(staging, 10, broken))), "gone")
        assert.deepStrictEqual(
          readdirSync(staging).filter((name) => name.startsWith("staged-")),
          []
        )
      })
    )
  })

conformance("contents on disk", Layer.unwrap(Effect.map(directory, (path) => ContentsFilesystem.layer(path))))

conformance(
  "contents in Postgres",
  ContentsPg.layer.pipe(Layer.provide(TestDatabase.layerApp()), Layer.provide(TestDatabase.layer()), Layer.orDie)
)

const key = { region: "eu-central-1", accessKeyId: "id", secretAccessKey: "a secret/with+signs" }
const bucket = Layer.unwrap(
  Effect.map(s3Server(key), ({ endpoint }) =>
    ContentsS3.layer({
      ...key,
      endpoint,
      bucket: "files",
      prefix: "a/b c/",
      secretAccessKey: Redacted.make(key.secretAccessKey)
    })
  )
)
conformance("contents in a bucket", bucket.pipe(Layer.provide(NodeHttpClient.layerUndici)))

describe("a bucket that refuses", () => {
  it.live("is a failure, and not content that is missing", () =>
    Effect.gen(function* () {
      const server = yield* s3Server(key)
      const { endpoint } = server
      const config = { ...key, endpoint, bucket: "files", prefix: "", secretAccessKey: Redacted.make("another") }
      const workspace = newWorkspaceId()
      const contents = ContentsS3.layer(config).pipe(Layer.provide(NodeHttpClient.layerUndici))
      const error = yield* Effect.flip(Effect.provide(get(workspace, "0".repeat(64), 5), contents))
      assert.strictEqual(error._tag, "ContentsUnavailable")
      assert.deepStrictEqual(server.refusals, ["SignatureDoesNotMatch"])
    }).pipe(Effect.scoped)
  )
})

describe("contents on disk", () => {
  it.live("forget what another process left in the staging a day ago", () =>
    Effect.gen(function* () {
      const root = yield* directory
      const name = (n: number) => join(root, "staging", `staged-00000000-0000-0000-0000-00000000000${n}`)
      yield* Effect.scoped(
        Effect.asVoid(Effect.provide(put(newWorkspaceId(), randomBytes(1)), ContentsFilesystem.layer(root)))
      )
      for (const n of [1, 2]) writeFileSync(name(n), "")
      utimesSync(name(1), 0, 0)
      yield* Effect.provide(Contents, ContentsFilesystem.layer(root))
      assert.deepStrictEqual(readdirSync(join(root, "staging")), [name(2).split("/").at(-1)!])
    }).pipe(Effect.scoped)
  )
})
