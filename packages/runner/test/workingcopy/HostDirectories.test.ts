import { assert, describe, it } from "@effect/vitest"
import type { FileError } from "@troupe/domain/runner/Files"
import { Effect, Layer } from "effect"
import { mkdirSync, renameSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { HostDirectories } from "../../src/workingcopy/HostDirectories.ts"
import { fill, scratch } from "../support/scratch.ts"

const world = Effect.gen(function* () {
  const home = yield* scratch
  const at = (path: string) => join(home, path)
  fill(home, {
    "code/one/file": "",
    "code/two/deep/file": "",
    "code/.troupe/state/secret": "",
    "elsewhere/file": "",
    "code/file": ""
  })
  symlinkSync("one", at("code/inside"))
  symlinkSync(at("elsewhere"), at("code/outside"))
  symlinkSync(".troupe", at("code/sly"))
  symlinkSync("file", at("code/plain"))
  const options = { roots: [at("code")], hidden: [at("code/.troupe"), at("none")], memory: at("state/registered.json") }
  const context = yield* Layer.build(HostDirectories.layer(options))
  const directories = yield* Effect.provide(HostDirectories, context)
  return { at, options, directories }
})

const reason = <A>(work: Effect.Effect<A, FileError>) => Effect.map(Effect.flip(work), (error) => error.reason._tag)

describe("Directories of the host", { timeout: 180_000 }, () => {
  it.effect("are shown below the allowed roots, and nothing else is", () =>
    Effect.gen(function* () {
      const { at, directories } = yield* world
      assert.deepStrictEqual(yield* directories.browse(null), [{ path: at("code"), name: "code", registered: false }])
      const names = (yield* directories.browse(at("code"))).map(({ name }) => name)
      assert.deepStrictEqual(names, ["inside", "one", "two"])
      assert.deepStrictEqual(
        (yield* directories.browse(at("code/two"))).map(({ path }) => path),
        [at("code/two/deep")]
      )
    })
  )

  it.effect("that are hidden, outside or none are refused", () =>
    Effect.gen(function* () {
      const { at, directories } = yield* world
      const refused = [
        [at("code/.troupe"), "NotFound"],
        [at("code/.troupe/state"), "NotFound"],
        [at("code/sly"), "NotFound"],
        [at("code/sly/state"), "NotFound"],
        [at("code/../elsewhere"), "Outside"],
        [at("code/outside"), "Outside"],
        [at("elsewhere"), "Outside"],
        [at("codes"), "Outside"],
        ["/", "Outside"],
        ["code", "Outside"],
        [at("code/file"), "NotADirectory"],
        [at("code/nothing"), "NotFound"],
        [at("code/a\0b"), "BadPath"]
      ] as const
      for (const [path, expected] of refused) {
        assert.strictEqual(yield* reason(directories.browse(path)), expected, path)
        assert.strictEqual(yield* reason(directories.register(path, "copy")), expected, path)
      }
      assert.strictEqual(yield* reason(directories.register(at("code"), "inPlace")), "Denied")
    })
  )

  it.effect("are used only as they were registered, and only while they are the same", () =>
    Effect.gen(function* () {
      const { at, directories, options } = yield* world
      const one = at("code/one")
      assert.strictEqual(yield* reason(directories.resolve(one, "copy")), "Denied")
      const registered = yield* directories.register(at("code/inside"), "copy")
      assert.deepStrictEqual(registered, { path: one, name: "one", registered: true })
      assert.strictEqual(yield* directories.resolve(one, "copy"), one)
      assert.strictEqual(yield* reason(directories.resolve(one, "inPlace")), "Denied")
      yield* directories.register(one, "inPlace")
      assert.isTrue((yield* directories.browse(at("code"))).some(({ path, registered }) => path === one && registered))

      const again = yield* Layer.build(HostDirectories.layer(options))
      const restarted = yield* Effect.provide(HostDirectories, again)
      assert.strictEqual(yield* restarted.resolve(one, "inPlace"), one)
      renameSync(one, at("code/moved"))
      assert.strictEqual(yield* reason(directories.resolve(one, "inPlace")), "NotFound")
      mkdirSync(one)
      assert.strictEqual(yield* reason(directories.resolve(one, "inPlace")), "Stale")
      renameSync(one, at("code/other"))
      symlinkSync(at("code/.troupe"), one)
      assert.strictEqual(yield* reason(directories.resolve(one, "inPlace")), "NotFound")
    })
  )

  it.effect("are none where none are allowed", () =>
    Effect.gen(function* () {
      const { at, options } = yield* world
      const context = yield* Layer.build(HostDirectories.layer({ ...options, roots: [] }))
      const directories = yield* Effect.provide(HostDirectories, context)
      assert.deepStrictEqual(yield* directories.browse(null), [])
      assert.strictEqual(yield* reason(directories.browse(at("code"))), "Outside")
    })
  )
})
