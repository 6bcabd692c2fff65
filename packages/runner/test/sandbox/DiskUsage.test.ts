import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { bytesTaken, diskUsage } from "../../src/sandbox/DiskUsage.ts"

const madeOf = (files: number) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const root = mkdtempSync(join(tmpdir(), "troupe-disk-usage-"))
      mkdirSync(join(root, "below/it"), { recursive: true })
      for (let n = 0; n < files; n++) writeFileSync(join(root, "below", `${n}.txt`), "x".repeat((n % 8) * 1_000))
      linkSync(join(root, "below/1.txt"), join(root, "below/it/again"))
      symlinkSync("/usr", join(root, "elsewhere"))
      return root
    }),
    (root) => Effect.sync(() => rmSync(root, { recursive: true, force: true }))
  )

describe("what directories take", () => {
  for (const files of [3, 300]) {
    it.effect(`of ${files} files is what du says: each file once, and no links followed`, () =>
      Effect.gen(function* () {
        const root = yield* madeOf(files)
        const taken = yield* bytesTaken([root, join(root, "below")])
        assert.isAbove(taken ?? 0, files * 1_000)
        assert.strictEqual(taken, yield* diskUsage([root, join(root, "below")]))
      })
    )
  }

  it.effect("is not known of one that is not there", () =>
    Effect.map(bytesTaken(["/nowhere/at/all"]), (taken) => assert.strictEqual(taken ?? 0, 0))
  )
})
