import { assert, describe, it } from "@effect/vitest"
import type { FileError } from "@troupe/domain/runner/Files"
import { Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import { hash } from "node:crypto"
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { collect, type CollectedFile } from "../../src/workingcopy/collect.ts"
import { materialise, type MaterialiseOptions } from "../../src/workingcopy/materialise.ts"
import * as MountTable from "../../src/workingcopy/MountTable.ts"
import { MemoryBlobs } from "../support/MemoryBlobs.ts"
import { bytes, fill, scratch } from "../support/scratch.ts"
import { look } from "../support/trees.ts"

const entry = (target: string, files?: ReadonlyArray<MountTable.MountedFile>): MountTable.MountEntry => ({
  target,
  readOnly: false,
  source: files === undefined ? { _tag: "Directory", path: "/host" } : { _tag: "Files", path: "/host", files },
  sync: "none"
})

const file = (path: string) => ({ path, sha256: "0".repeat(64), bytes: 0 })

describe("A mount table", { timeout: 180_000 }, () => {
  it.effect("says where each path of the sandbox is", () =>
    Effect.gen(function* () {
      const table = yield* MountTable.make([
        entry("/workspace"),
        entry("/mnt/session/uploads", [file("a"), file("b/c")])
      ])
      assert.deepStrictEqual(table.mounts, [
        { source: "/host", target: "/workspace", readOnly: false },
        { source: "/host", target: "/mnt/session/uploads", readOnly: false }
      ])
      assert.strictEqual(table.entryOf("/workspace/a/../b")?.target, "/workspace")
      assert.strictEqual(table.entryOf("/mnt/session/uploads")?.target, "/mnt/session/uploads")
      for (const path of ["/workspaces", "/workspace/../etc", "/mnt/session", "/"]) {
        assert.isUndefined(table.entryOf(path), path)
      }
    })
  )

  it.effect.each([
    ["BadTarget", [entry("workspace")]],
    ["BadTarget", [entry("/workspace/")]],
    ["BadTarget", [entry("/workspace/../etc")]],
    ["BadTarget", [entry("/mnt//x")]],
    ["BadTarget", [entry("/etc")]],
    ["BadTarget", [entry("/workspacex")]],
    ["BadTarget", [entry("/mnt/a\0b")]],
    ["BadTarget", [entry(`/mnt/${"a".repeat(2_000)}`)]],
    ["Overlaps", [entry("/mnt/a"), entry("/mnt/a")]],
    ["Overlaps", [entry("/mnt/a"), entry("/mnt/a/b")]],
    ["Overlaps", [entry("/mnt/a/b"), entry("/mnt/a")]],
    ["BadFile", [entry("/mnt/a", [file("../x")])]],
    ["BadFile", [entry("/mnt/a", [file("/x")])]],
    ["BadFile", [entry("/mnt/a", [file("")])]],
    ["BadFile", [entry("/mnt/a", [file("x"), file("x")])]],
    ["BadFile", [entry("/mnt/a", [file("x/y"), file("x")])]]
  ] as const)("refuses what could not be meant: %s (%#)", ([tag, entries]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(MountTable.make(entries))
      assert.strictEqual(error.reason._tag, tag)
    })
  )
})

const stored = (blobs: MemoryBlobs, path: string, content: string) => {
  const sha256 = hash("sha256", content, "hex")
  blobs.stored.set(sha256, bytes(content))
  return { path, sha256, bytes: content.length }
}

const optionsOf = (home: string, blobs: MemoryBlobs, asked: Array<string>): MaterialiseOptions => ({
  incoming: join(home, "incoming"),
  memory: join(home, "uploads.json"),
  download: ({ sha256 }, into) =>
    Effect.suspend(() => {
      asked.push(sha256)
      const found = blobs.stored.get(sha256)
      if (found === undefined) return Effect.fail({ message: "it is nowhere" })
      return Effect.sync(() => writeFileSync(into, found))
    })
})

describe("Files of an entry", { timeout: 180_000 }, () => {
  it.effect("are exactly those that were named, again and again", () =>
    Effect.gen(function* () {
      const home = yield* scratch
      const [path, secret] = [join(home, "uploads"), join(home, "secret")]
      fill(home, { "uploads/old/x": "x", "uploads/a/b": "in the way", "uploads/c": "changed", secret: "secret" })
      symlinkSync(secret, join(path, "e"))
      const blobs = new MemoryBlobs()
      const files = [
        stored(blobs, "a", "A"),
        stored(blobs, "c", "C"),
        stored(blobs, "d/e", "E"),
        stored(blobs, "e", "e")
      ]
      const table = yield* MountTable.make([{ ...entry("/mnt/x"), source: { _tag: "Files", path, files } }])
      const asked: Array<string> = []
      const options = optionsOf(home, blobs, asked)
      assert.deepStrictEqual(yield* materialise(table, options), [])
      const content = (text: string) => ({ kind: "file" as const, content: text, mode: 0o644 })
      assert.deepStrictEqual(look(path), {
        a: content("A"),
        c: content("C"),
        d: { kind: "directory", mode: 0o755, entries: { e: content("E") } },
        e: content("e")
      })
      assert.strictEqual(readFileSync(secret, "utf8"), "secret")
      assert.strictEqual(asked.length, 4)
      assert.deepStrictEqual(yield* materialise(table, options), [])
      assert.strictEqual(asked.length, 4)
      writeFileSync(join(path, "a"), "changed")
      rmSync(join(path, "d"), { recursive: true })
      yield* materialise(table, options)
      assert.deepStrictEqual(asked.slice(4), [files[0]!.sha256, files[2]!.sha256])
      assert.strictEqual(readFileSync(join(path, "a"), "utf8"), "A")
      assert.deepStrictEqual(readdirSync(join(home, "incoming")), [])
    })
  )

  it.effect("are there without those that can't be had, which are named", () =>
    Effect.gen(function* () {
      const home = yield* scratch
      const path = join(home, "uploads")
      mkdirSync(path)
      const blobs = new MemoryBlobs()
      const [gone, there] = [stored(blobs, "a", "A"), stored(blobs, "b", "B")]
      const source = { _tag: "Files", path, files: [gone, there] } as const
      const table = yield* MountTable.make([{ ...entry("/mnt/x"), source }])
      blobs.stored.delete(gone.sha256)
      const options = optionsOf(home, blobs, [])
      assert.deepStrictEqual(yield* materialise(table, options), [{ path: "/mnt/x/a", detail: "it is nowhere" }])
      assert.deepStrictEqual(Object.keys(look(path)), ["b"])
      stored(blobs, "a", "A")
      assert.deepStrictEqual(yield* materialise(table, options), [])
      assert.deepStrictEqual(Object.keys(look(path)), ["a", "b"])
    })
  )
})

describe("Outputs", { timeout: 180_000 }, () => {
  it.effect("are collected when they are new or changed, and until that is kept", () =>
    Effect.gen(function* () {
      const home = yield* scratch
      const root = join(home, "outputs")
      const stored: Array<string> = []
      const store = ({ path }: CollectedFile, content: Stream.Stream<Uint8Array, FileError>) =>
        Effect.map(Stream.runCollect(content), (pieces) => {
          const text = Buffer.concat(pieces).toString()
          stored.push(text)
          return `${path}: ${text}`
        })
      const options = { root: { root }, memory: join(home, "memory.json"), store, fileBytesMax: 10 }
      fill(home, { "outputs/a": "A", "outputs/d/b": "B", "outputs/large": "x".repeat(11), secret: "s" })
      symlinkSync(join(home, "secret"), join(root, "link"))
      const paths = ({ files }: { readonly files: ReadonlyArray<{ readonly path: string }> }) =>
        files.map(({ path }) => path)

      const first = yield* collect(options)
      assert.deepStrictEqual(paths(first), ["a", "d/b"])
      assert.deepStrictEqual(first.leftOut, [{ path: "large", detail: "it has more than 10 bytes" }])
      assert.deepStrictEqual(
        first.files.map((file) => file.stored),
        ["a: A", "d/b: B"]
      )
      const again = yield* collect(options)
      assert.deepStrictEqual(again.files, first.files)
      yield* again.keep
      assert.deepStrictEqual(paths(yield* collect(options)), [])

      writeFileSync(join(root, "a"), "a")
      writeFileSync(join(root, "c"), "A")
      utimesSync(join(root, "d/b"), 1, 1)
      rmSync(join(root, "large"))
      const changed = yield* collect(options)
      assert.deepStrictEqual(paths(changed), ["a", "c"])
      assert.deepStrictEqual(changed.leftOut, [])
      yield* changed.keep
      yield* TestClock.setTime(Date.now() + 10_000)
      yield* (yield* collect(options)).keep
      chmodSync(join(root, "a"), 0o600)
      writeFileSync(join(root, "c"), "AA")
      assert.deepStrictEqual(paths(yield* collect(options)), ["c"])
    })
  )
})
