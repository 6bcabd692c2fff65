import { assert, it } from "@effect/vitest"
import type { FilePage } from "@troupe/domain/runner/Files"
import { Clock, Effect, type Scope } from "effect"
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { requires } from "../../../../test/requires.ts"
import { capture, diff, restore } from "../../src/workingcopy/Checkpoints.ts"
import { open } from "../../src/workingcopy/SafeDirectory.ts"
import { MemoryBlobs } from "../support/MemoryBlobs.ts"
import { scratch } from "../support/scratch.ts"

const files = 100_000
const changed = 7
/** Contents repeat, so that what is measured is files and not the test's own store. */
const contents = 500

const pathOf = (n: number) => (n < 20_000 ? `flat/file-${n}` : `deep/${n % 400}/file-${n}`)

const plant = (root: string) => {
  mkdirSync(join(root, "flat"))
  for (let n = 0; n < 400; n++) mkdirSync(join(root, "deep", String(n)), { recursive: true })
  // Times that are past, as a capture trusts them.
  const before = Date.now() / 1_000 - 60
  for (let n = 0; n < files; n++) {
    const path = join(root, pathOf(n))
    writeFileSync(path, `content ${n % contents}\n`)
    utimesSync(path, before, before)
  }
}

/** How long it took, and how far the process's memory went up meanwhile. */
const measured = <A, E>(what: string, work: Effect.Effect<A, E, Scope.Scope>) =>
  Effect.gen(function* () {
    const resident = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))![1]) / 1_024
    const before = resident()
    let most = before
    const watching = setInterval(() => (most = Math.max(most, resident())), 50)
    const begun = yield* Clock.currentTimeMillis
    const value = yield* Effect.scoped(work)
    const tookMs = (yield* Clock.currentTimeMillis) - begun
    clearInterval(watching)
    const grewMb = Math.max(most, resident()) - before
    console.log(`${what}: ${(tookMs / 1_000).toFixed(1)} s, ${grewMb.toFixed(0)} MiB more`)
    assert.isBelow(grewMb, 300, what)
    return { value, tookMs }
  })

requires("full")("a working copy of 100,000 files", () => {
  it.live(
    "is listed, captured, compared and restored in the memory of a small one, and again in a part of the time",
    () =>
      Effect.gen(function* () {
        const home = yield* scratch
        const [root, to] = [join(home, "tree"), join(home, "restored")]
        for (const path of [root, to]) mkdirSync(path)
        plant(root)
        const [tree, place] = [
          { root: { root }, state: join(home, "state") },
          { root: { root: to }, state: join(home, "restored.state") }
        ]
        const blobs = new MemoryBlobs()

        const listed = yield* measured(
          "pages of a directory of 20,000",
          Effect.gen(function* () {
            const directory = yield* open({ root })
            let count = 0
            for (let after: string | null = ""; after !== null;) {
              const page: FilePage = yield* directory.list("flat", { limit: 1_000, ...(after === "" ? {} : { after }) })
              count += page.entries.length
              after = page.next
            }
            return count
          })
        )
        assert.strictEqual(listed.value, 20_000)

        const first = yield* measured("the first capture", capture(tree, blobs))
        assert.strictEqual(first.value.files, files)
        const again = yield* measured("one of an unchanged tree", capture(tree, blobs))
        assert.deepStrictEqual([again.value.checkpoint, again.value.bytesRead], [first.value.checkpoint, 0])
        assert.isBelow(again.tookMs, first.tookMs)

        for (let n = 0; n < changed; n++) writeFileSync(join(root, pathOf(n * 13_000)), "another\n")
        const { value } = yield* measured("what is different now", diff(first.value.checkpoint, tree, blobs))
        assert.deepStrictEqual([value.changes.length, value.isComplete], [changed, true])

        yield* measured("restoring it", restore(place, first.value.checkpoint, blobs))
        const copied = yield* measured("a capture of what was restored", capture(place, blobs))
        assert.strictEqual(copied.value.checkpoint, first.value.checkpoint)
      }).pipe(Effect.scoped),
    900_000
  )
})
