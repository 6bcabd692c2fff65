import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { open } from "../../src/workingcopy/SafeDirectory.ts"
import type { WatchOptions } from "../../src/workingcopy/watch.ts"
import { fill, scratch } from "../support/scratch.ts"

/** What is told of what `act` does, after the first look. */
const told = Effect.fnUntraced(function* (act: (root: string) => void, count: number, options?: WatchOptions) {
  const home = yield* scratch
  const root = join(home, "root")
  fill(home, { "root/changed": "1", "root/removed/file": "2", "root/same": "3", "outside/file": "4" })
  symlinkSync(join(home, "outside"), join(root, "link"))
  const files = yield* open({ root })
  // The first event says that the watch has begun, whenever that is on a busy machine.
  const seen: Array<string> = []
  const watching = yield* files.watch(".", options).pipe(
    Stream.tap(({ kind, path }) => Effect.sync(() => seen.push(`${kind} ${path}`))),
    Stream.take(count + 1),
    Stream.runDrain,
    Effect.forkChild
  )
  for (let round = 0; seen.length === 0; round++) {
    writeFileSync(join(root, "begun"), String(round))
    yield* TestClock.adjust("1 minute")
    yield* Effect.yieldNow
  }
  act(root)
  while (seen.length < count + 1) {
    yield* TestClock.adjust("1 minute")
    yield* Effect.yieldNow
  }
  yield* Fiber.join(watching)
  return seen.slice(1).toSorted()
})

describe("A watch", { timeout: 180_000 }, () => {
  it.effect("tells what was added, changed and deleted, and not what is outside", () =>
    Effect.gen(function* () {
      const seen = yield* told((root) => {
        writeFileSync(join(root, "changed"), "other")
        writeFileSync(join(root, "link/file"), "outside")
        mkdirSync(join(root, "added"))
        writeFileSync(join(root, "added/file"), "")
        rmSync(join(root, "removed"), { recursive: true })
      }, 5)
      assert.deepStrictEqual(seen, [
        "added added",
        "added added/file",
        "changed changed",
        "deleted removed",
        "deleted removed/file"
      ])
    })
  )

  it.effect("tells of too many changes at once as one", () =>
    Effect.gen(function* () {
      const seen = yield* told(
        (root) => {
          for (let n = 0; n < 100; n++) writeFileSync(join(root, `f${n}`), "")
        },
        1,
        { changesMax: 50 }
      )
      assert.deepStrictEqual(seen, ["rescan ."])
    })
  )
})
