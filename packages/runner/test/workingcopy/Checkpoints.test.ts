import { assert, describe, it } from "@effect/vitest"
import { CheckpointError } from "@troupe/domain/runner/Checkpoint"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { requires } from "../../../../test/requires.ts"
import { capture, diff, restore } from "../../src/workingcopy/Checkpoints.ts"
import { MemoryBlobs } from "../support/MemoryBlobs.ts"
import { fill, makeDeep, scratch } from "../support/scratch.ts"
import { look, plant, type Tree, trees } from "../support/trees.ts"

const world = Effect.gen(function* () {
  const home = yield* scratch
  mkdirSync(join(home, "tree"))
  let places = 0
  const place = () => {
    const root = join(home, `place${++places}`)
    mkdirSync(root)
    return { root: { root }, state: `${root}.state` }
  }
  const tree = { root: { root: join(home, "tree") }, state: join(home, "state") }
  return { home, root: tree.root.root, tree, place, blobs: new MemoryBlobs() }
})

/** Later, when no new change can hide behind the times that files have now. */
const settle = Effect.suspend(() => TestClock.setTime(Date.now() + 10_000))

const reason = <A, E extends { readonly reason: { readonly _tag: string } }>(work: Effect.Effect<A, E>) =>
  Effect.map(Effect.flip(work), (error) => error.reason._tag)

describe("A checkpoint", { timeout: 180_000 }, () => {
  it.live("restored is the tree that was captured", () =>
    Effect.gen(function* () {
      const { blobs, place } = yield* world
      let entries = 0
      for (const value of fc.sample(trees, { numRuns: 150, seed: 4_711 })) {
        const [from, to] = [place(), place()]
        plant(from.root.root, value)
        const captured = yield* capture(from, blobs)
        const restored = yield* restore(to, captured.checkpoint, blobs)
        assert.deepStrictEqual(look(to.root.root), look(from.root.root))
        assert.strictEqual(restored.files, captured.files)
        assert.strictEqual((yield* capture(to, blobs)).checkpoint, captured.checkpoint)
        entries += captured.files
      }
      assert.isAbove(entries, 300)
    })
  )

  it.live("of a tree that goes on changing is the same whether or not there was one before", () =>
    Effect.gen(function* () {
      const { blobs, place, root, tree } = yield* world
      const values = fc.sample(trees, { numRuns: 25, seed: 42 })
      for (const value of values) {
        // Parts of the next tree over what is left of this one.
        const names = readdirSync(root, { encoding: "latin1" })
        for (const name of names.filter((_, index) => index % 2 === 0)) {
          spawnSync("rm", ["-rf", Buffer.from(`${root}/${name}`, "latin1").toString()])
        }
        const left = new Set(readdirSync(root, { encoding: "latin1" }))
        const entries = Object.fromEntries(Object.entries(value.entries).filter(([name]) => !left.has(name)))
        plant(root, { ...value, entries })
        const incremental = yield* capture(tree, blobs)
        const full = yield* capture({ ...tree, state: place().state }, blobs)
        assert.strictEqual(incremental.checkpoint, full.checkpoint)
      }
    })
  )

  it.effect(
    "reads only what changed",
    () =>
      Effect.gen(function* () {
        const { blobs, root, tree } = yield* world
        fill(root, { a: "a", "d/b": "bb", "d/c": "ccc", z: "zzzz" })
        yield* settle
        assert.strictEqual((yield* capture(tree, blobs)).bytesRead, 10)
        const again = yield* capture(tree, blobs)
        assert.strictEqual(again.bytesRead, 0)
        assert.strictEqual(again.bytes, 10)
        const before = blobs.puts
        fill(root, { "d/c": "CCC" })
        utimesSync(join(root, "d/c"), lstatSync(join(root, "z")).mtime, lstatSync(join(root, "z")).mtime)
        renameSync(join(root, "a"), join(root, "m"))
        const changed = yield* capture(tree, blobs)
        // The renamed one is read too, since a name says nothing of content, but it is stored already.
        assert.strictEqual(changed.bytesRead, 4)
        assert.strictEqual(blobs.puts - before, 3)
      }),
    30_000
  )

  it.effect("is not taken for stored when its manifest is gone", () =>
    Effect.gen(function* () {
      const { blobs, root, tree } = yield* world
      fill(root, { a: "a", b: "b" })
      yield* settle
      const { checkpoint } = yield* capture(tree, blobs)
      blobs.stored.clear()
      assert.strictEqual((yield* capture(tree, blobs)).checkpoint, checkpoint)
      assert.strictEqual(blobs.stored.size, 4)
    })
  )

  it.effect("names its manifest, which is stored after all that it names", () =>
    Effect.gen(function* () {
      const { blobs, root, tree } = yield* world
      fill(root, Object.fromEntries(Array.from({ length: 600 }, (_, n) => [`d${n % 7}/f${n}`, `content ${n}`])))
      const { checkpoint, files } = yield* capture(tree, blobs)
      assert.strictEqual(files, 600)
      assert.strictEqual(`sha256:${blobs.order.at(-1)}`, checkpoint)
      assert.strictEqual(new Set(blobs.order).size, blobs.order.length)
    })
  )

  it.effect("of a large tree changes little with the tree", () =>
    Effect.gen(function* () {
      const { blobs, root, tree } = yield* world
      fill(root, Object.fromEntries(Array.from({ length: 3_000 }, (_, n) => [`d${n % 50}/f${n}`, "same"])))
      yield* capture(tree, blobs)
      assert.isAbove(blobs.puts, 8)
      const before = blobs.puts
      fill(root, { "d25/inserted": "new" })
      yield* capture(tree, blobs)
      assert.isAtMost(blobs.puts - before, 4)
    })
  )

  it.effect("holds files of many chunks in little memory", () =>
    Effect.gen(function* () {
      const { blobs, place, root, tree } = yield* world
      const block = Buffer.alloc(1_048_576)
      for (let n = 0; n < 40; n++) appendFileSync(join(root, "large"), block.fill(n))
      appendFileSync(join(root, "large"), "tail")
      const { bytes, checkpoint } = yield* capture(tree, blobs)
      assert.strictEqual(bytes, 40 * 1_048_576 + 4)
      assert.isAtMost(blobs.largestBatch, 9 * 1_048_576)
      const to = place()
      yield* restore(to, checkpoint, blobs)
      assert.isTrue(readFileSync(join(to.root.root, "large")).equals(readFileSync(join(root, "large"))))
    })
  )

  it.live("of 10,000 levels is no larger than its names", () =>
    Effect.gen(function* () {
      const { blobs, place, root, tree } = yield* world
      makeDeep(join(root, "deep"), 10_000)
      const { checkpoint } = yield* capture(tree, blobs)
      const bytes = [...blobs.stored.values()].reduce((sum, blob) => sum + blob.length, 0)
      assert.isBelow(bytes, 10_000 * 100)
      const to = place()
      yield* restore(to, checkpoint, blobs)
      assert.strictEqual((yield* capture(to, blobs)).checkpoint, checkpoint)
    })
  )

  it.effect("says what it left out", () =>
    Effect.gen(function* () {
      const { blobs, root, tree } = yield* world
      fill(root, { kept: "1", "d/large": "22", "node_modules/x": "333", ".troupe-0123456789abcdef": "4" })
      spawnSync("mkfifo", [join(root, "d/fifo")])
      const captured = yield* capture({ ...tree, exclude: ["**/node_modules"], limits: { fileBytesMax: 1 } }, blobs)
      assert.strictEqual(captured.files, 1)
      assert.deepStrictEqual(captured.leftOut, [
        { path: "d/fifo", why: "special" },
        { path: "d/large", why: "tooLarge" }
      ])
    })
  )

  it.effect("has bounds that fail it", () =>
    Effect.gen(function* () {
      const { blobs, root, tree } = yield* world
      fill(root, { a: "12345", b: "6" })
      assert.strictEqual(yield* reason(capture({ ...tree, limits: { bytesMax: 5 } }, blobs)), "TooLarge")
      assert.strictEqual(yield* reason(capture({ ...tree, limits: { entriesMax: 1 } }, blobs)), "TooLarge")
      assert.strictEqual((yield* capture(tree, blobs)).files, 2)
    })
  )

  it.effect("survives an index that is damaged", () =>
    Effect.gen(function* () {
      const { blobs, root, tree } = yield* world
      fill(root, { a: "a", "d/b": "b", e: "e" })
      const { checkpoint } = yield* capture(tree, blobs)
      const [index] = readdirSync(tree.state)
      const path = join(tree.state, index!)
      truncateSync(path, lstatSync(path).size >> 1)
      assert.strictEqual((yield* capture(tree, blobs)).checkpoint, checkpoint)
      writeFileSync(path, "nonsense\n\t\t\n{}\n")
      assert.strictEqual((yield* capture(tree, blobs)).checkpoint, checkpoint)
    })
  )
})

describe("A restore", { timeout: 180_000 }, () => {
  it.effect("wants an empty directory, and is done once", () =>
    Effect.gen(function* () {
      const { blobs, place, root, tree } = yield* world
      fill(root, { a: "a" })
      const { checkpoint } = yield* capture(tree, blobs)
      const to = place()
      writeFileSync(join(to.root.root, "mine"), "")
      assert.strictEqual(yield* reason(restore(to, checkpoint, blobs)), "NotEmpty")
      assert.deepStrictEqual(readdirSync(to.root.root), ["mine"])
      rmSync(join(to.root.root, "mine"))
      yield* restore(to, checkpoint, blobs)
      writeFileSync(join(to.root.root, "a"), "the agent's")
      yield* restore(to, checkpoint, blobs)
      assert.strictEqual(readFileSync(join(to.root.root, "a"), "utf8"), "the agent's")
      fill(root, { b: "b" })
      const other = yield* capture(tree, blobs)
      assert.strictEqual(yield* reason(restore(to, other.checkpoint, blobs)), "NotEmpty")
    })
  )

  it.effect("believes no blob", () =>
    Effect.gen(function* () {
      const { blobs, place, root, tree } = yield* world
      fill(root, { a: "a", b: "b" })
      const { checkpoint } = yield* capture(tree, blobs)
      for (const digest of blobs.order) {
        const bytes = blobs.stored.get(digest)!
        blobs.stored.set(digest, Buffer.from("something else"))
        assert.strictEqual(yield* reason(restore(place(), checkpoint, blobs)), "Corrupt")
        blobs.stored.delete(digest)
        assert.strictEqual(yield* reason(restore(place(), checkpoint, blobs)), "Missing")
        blobs.stored.set(digest, bytes)
      }
      assert.strictEqual(yield* reason(restore(place(), `sha256:${"0".repeat(64)}`, blobs)), "Missing")
    })
  )

  it.effect.each([
    { _tag: "File", name: "../x", mode: 0o644, size: 0, modifiedMs: 0, chunks: [] },
    { _tag: "File", name: "a/b", mode: 0o644, size: 0, modifiedMs: 0, chunks: [] },
    { _tag: "Directory", name: "..", mode: 0o755 },
    { _tag: "File", name: "a", mode: 0o4755, size: 0, modifiedMs: 0, chunks: [] },
    { _tag: "File", name: "a", mode: 0o755, size: 7, modifiedMs: 0, chunks: [] },
    { _tag: "Up" },
    { _tag: "Device", name: "sda" }
  ])("refuses a tree that was made to lead out (%#)", (line) =>
    Effect.gen(function* () {
      const { blobs, home, place } = yield* world
      const lines = yield* stored(blobs, `${JSON.stringify(line)}\n`)
      const manifest = { format: "troupe-tree/1", files: 1, bytes: 0, chunks: [lines], leftOut: [], leftOutCount: 0 }
      const checkpoint = `sha256:${yield* stored(blobs, JSON.stringify(manifest))}`
      const before = readdirSync(home).length
      assert.include(["Corrupt", "Outside"], yield* reason(restore(place(), checkpoint, blobs)))
      assert.isAtMost(readdirSync(home).length, before + 2)
    })
  )

  it.effect("that was cut short goes on where it was", () =>
    Effect.gen(function* () {
      const { blobs, place, root, tree } = yield* world
      fill(root, Object.fromEntries(Array.from({ length: 900 }, (_, n) => [`d${n % 3}/e/f${n}`, `content ${n}`])))
      chmodSync(join(root, "d1"), 0o500)
      symlinkSync("/etc/passwd", join(root, "d2/e/f0"))
      const { checkpoint } = yield* capture(tree, blobs)
      // How many it asks for at once follows from how fast the machine is: the last is cut short by what it was given.
      for (const [callsMax, digestsMax] of [
        [1, Infinity],
        [2, Infinity],
        [3, Infinity],
        [Infinity, 700]
      ] as const) {
        const to = place()
        let calls = 0
        let given = 0
        const failing = {
          get: (digests: ReadonlyArray<string>) =>
            ++calls > callsMax || (given += digests.length) > digestsMax
              ? Effect.fail(new CheckpointError({ reason: { _tag: "Unavailable", detail: "gone" } }))
              : blobs.get(digests)
        }
        assert.strictEqual(yield* reason(restore(to, checkpoint, failing)), "Unavailable")
        let asked = 0
        yield* restore(to, checkpoint, {
          get: (digests) => Effect.suspend(() => ((asked += digests.length), blobs.get(digests)))
        })
        assert.deepStrictEqual(look(to.root.root), look(root))
        if (digestsMax === 700) assert.isBelow(asked, 600)
      }
    })
  )
})

const stored = (blobs: MemoryBlobs, content: string) =>
  Effect.gen(function* () {
    const bytes = new TextEncoder().encode(content)
    const sha256 = (yield* Effect.promise(() => crypto.subtle.digest("SHA-256", bytes))) as ArrayBuffer
    const digest = Buffer.from(sha256).toString("hex")
    if (!blobs.stored.has(digest)) yield* blobs.put([{ sha256: digest, bytes }])
    return digest
  })

describe("A diff", { timeout: 180_000 }, () => {
  it.effect("says what was added, removed, changed and became something else", () =>
    Effect.gen(function* () {
      const { blobs, root, tree } = yield* world
      fill(root, { changed: "1\n2\n3\n", "removed/x": "x\n", same: "s", type: "file\n", binary: "\0a" })
      const before = yield* capture(tree, blobs)
      fill(root, { changed: "1\nTWO\n3\n", "added/y": "y\n", binary: "\0b" })
      rmSync(join(root, "removed"), { recursive: true })
      rmSync(join(root, "type"))
      symlinkSync("same", join(root, "type"))
      mkdirSync(join(root, "empty"))
      chmodSync(join(root, "same"), 0o755)
      const live = yield* diff(before.checkpoint, tree, blobs)
      assert.deepStrictEqual(
        live.changes.map(({ change, path }) => [change, path]),
        [
          ["added", "added/y"],
          ["changed", "binary"],
          ["changed", "changed"],
          ["added", "empty"],
          ["removed", "removed/x"],
          ["changed", "same"],
          ["retyped", "type"]
        ]
      )
      const text = (path: string) => live.changes.find((change) => change.path === path)?.text
      assert.strictEqual(text("changed"), "--- a/changed\n+++ b/changed\n@@ -1,3 +1,3 @@\n 1\n-2\n+TWO\n 3\n")
      assert.strictEqual(text("added/y"), "--- /dev/null\n+++ b/added/y\n@@ -0,0 +1 @@\n+y\n")
      assert.isNull(text("binary"))
      const after = yield* capture(tree, blobs)
      assert.deepStrictEqual(yield* diff(before.checkpoint, after.checkpoint, blobs), live)
      assert.deepStrictEqual((yield* diff(after.checkpoint, tree, blobs)).changes, [])
    })
  )

  it.live("of any two trees names exactly what differs", () =>
    Effect.gen(function* () {
      const { blobs, place } = yield* world
      let changes = 0
      for (const [left, right] of fc.sample(fc.tuple(trees, trees), { numRuns: 80, seed: 7 })) {
        const [a, b] = [place(), place()]
        plant(a.root.root, left)
        plant(b.root.root, right)
        const from = yield* capture(a, blobs)
        const to = yield* capture(b, blobs)
        const found = yield* diff(from.checkpoint, to.checkpoint, blobs)
        const back = yield* diff(to.checkpoint, from.checkpoint, blobs)
        assert.deepStrictEqual(
          back.changes.map(({ after, before, path }) => ({ path, before: after, after: before })),
          found.changes.map(({ after, before, path }) => ({ path, before, after }))
        )
        // A directory that is in both is compared by its mode, one that is in one of them by what is in it.
        const [was, is] = [flat(look(a.root.root)), flat(look(b.root.root))]
        const differing = [...new Set([...was.keys(), ...is.keys()])].filter((path) => was.get(path) !== is.get(path))
        const named = differing.filter((path) => !isFilled(path, was) || (was.has(path) && is.has(path)))
        const counted = named.filter((path) => !isFilled(path, is) || (was.has(path) && is.has(path)))
        assert.strictEqual(found.changes.length, counted.length)
        changes += counted.length
      }
      assert.isAbove(changes, 200)
    })
  )

  it.effect("has bounds", () =>
    Effect.gen(function* () {
      const { blobs, root, tree } = yield* world
      const empty = yield* capture(tree, blobs)
      fill(root, { a: "a\n", b: "b".repeat(100), c: "c\n" })
      const short = yield* diff(empty.checkpoint, tree, blobs, { changesMax: 2, fileBytesMax: 50 })
      assert.isFalse(short.isComplete)
      assert.deepStrictEqual(
        short.changes.map(({ path, text }) => [path, text !== null]),
        [
          ["a", true],
          ["b", false]
        ]
      )
    })
  )
})

/** What is at each path; of a directory, its mode. */
const flat = (entries: Readonly<Record<string, Tree>>, above = ""): Map<string, string> =>
  new Map(
    Object.entries(entries).flatMap(([name, tree]) => {
      const path = `${above}/${name}`
      return tree.kind === "directory"
        ? [[path, `directory ${tree.mode}`] as const, ...flat(tree.entries, path)]
        : [[path, JSON.stringify(tree)] as const]
    })
  )

const isFilled = (path: string, paths: ReadonlyMap<string, string>): boolean =>
  paths.keys().some((other) => other.startsWith(`${path}/`))

requires("root")("On a full disk", () => {
  it.effect("a restore fails with its reason, and goes on when there is room", () =>
    Effect.gen(function* () {
      const { blobs, home, root, tree } = yield* world
      fill(root, { a: "small", "b/c": "x".repeat(3 * 1_048_576) })
      const { checkpoint } = yield* capture(tree, blobs)
      const disk = join(home, "disk")
      mkdirSync(disk)
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", disk])
          assert.strictEqual(status, 0, stderr.toString())
        }),
        () => Effect.sync(() => spawnSync("umount", [disk]))
      )
      const to = { root: { root: disk }, state: join(home, "disk.state") }
      assert.strictEqual(yield* reason(restore(to, checkpoint, blobs)), "NoSpace")
      spawnSync("mount", ["-o", "remount,size=8m", disk])
      yield* restore(to, checkpoint, blobs)
      assert.deepStrictEqual(look(disk), look(root))
      assert.isTrue(existsSync(to.state))
    })
  )
})
