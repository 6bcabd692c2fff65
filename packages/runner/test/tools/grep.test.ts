import { assert, it } from "@effect/vitest"
import type { JsonObject } from "@troupe/domain/Json"
import { Effect } from "effect"
import { existsSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fill } from "../support/scratch.ts"
import { requires } from "../../../../test/requires.ts"
import { bubblewrap } from "../../src/sandbox/Bubblewrap.ts"
import { gatewayOf, placeOn, textOf } from "./world.ts"

/** A session whose programs are these alone. */
const session = (...programs: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const world = yield* placeOn(bubblewrap(), "/mnt/session/uploads")
    for (const program of programs) symlinkSync(`/usr/bin/${program}`, join(world.uploads, program))
    const { call, frames } = gatewayOf({ place: world.place })
    const grep = (input: JsonObject) =>
      Effect.map(call("grep", input), (result) => {
        if (result._tag !== "Done") return assert.fail("nobody is to be asked")
        const text = textOf(result.content).replaceAll("/workspace/", "")
        return { ...result, text, details: frames.last("ToolFinished").details ?? {} }
      })
    return { ...world, grep }
  })

const files = {
  "a.ts": "first\nneedle one\nthird\n",
  "b.ts": "Needle two\nneedle three\n",
  "sub/c.py": "x\ny\nneedle: four\nz\n",
  "none.md": "nothing\n"
}

const suite = (name: string, ...programs: ReadonlyArray<string>) =>
  requires(
    "bubblewrap",
    "root",
    ...(programs.includes("rg") ? (["ripgrep"] as const) : [])
  )(name, () => {
    it.live(
      "gives files, lines or counts",
      () =>
        Effect.gen(function* () {
          const { grep, workspace } = yield* session(...programs)
          fill(workspace, files)
          const sorted = (text: string) => text.split("\n").sort()
          assert.deepStrictEqual(sorted((yield* grep({ pattern: "needle" })).text), ["a.ts", "b.ts", "sub/c.py"])
          assert.deepStrictEqual(sorted((yield* grep({ pattern: "needle", output_mode: "count", "-i": true })).text), [
            "a.ts:1",
            "b.ts:2",
            "sub/c.py:1"
          ])
          assert.strictEqual(
            (yield* grep({ pattern: "needle", path: "a.ts", output_mode: "content" })).text,
            "a.ts:2:needle one"
          )
          assert.strictEqual(
            (yield* grep({ pattern: "needle", path: "a.ts", output_mode: "content", "-n": false })).text,
            "a.ts:needle one"
          )
          assert.strictEqual(
            (yield* grep({ pattern: "needle: ", output_mode: "content", "-C": 1 })).text,
            "sub/c.py-2-y\nsub/c.py:3:needle: four\nsub/c.py-4-z"
          )
          assert.strictEqual((yield* grep({ pattern: "^needle (one|two)$", type: "ts" })).text, "a.ts")
          assert.strictEqual((yield* grep({ pattern: "needle", glob: "*.py" })).text, "sub/c.py")
          assert.strictEqual((yield* grep({ pattern: "absent" })).text, "No matches.")
        }),
      60_000
    )

    it.live(
      "takes what it is given for a pattern and a place, and for nothing else",
      () =>
        Effect.gen(function* () {
          const { grep, workspace } = yield* session(...programs)
          fill(workspace, { "-v": "--help\n", "two\nlines:3:x": "--help\n", "$(touch pwned)": "--help" })
          const { text } = yield* grep({ pattern: "--help", output_mode: "content" })
          assert.deepStrictEqual(text.split("\n").length, 3)
          assert.include(text, String.raw`two\nlines:3:x":1:--help`)
          assert.isFalse(existsSync(join(workspace, "pwned")))
          assert.match((yield* grep({ pattern: "x", path: "/etc" })).text, /is not a place for files here/)
          assert.strictEqual((yield* grep({ pattern: "a(" })).outcome, "failed")
          assert.match((yield* grep({ pattern: "x", path: "gone" })).text, /[Nn]o such file/)
        }),
      60_000
    )

    it.live(
      "has an end, however much there is",
      () =>
        Effect.gen(function* () {
          const { grep, workspace } = yield* session(...programs)
          writeFileSync(join(workspace, "many"), "needle\n".repeat(300_000))
          writeFileSync(join(workspace, "wide"), `needle${"x".repeat(3_000_000)}\n`)
          const few = yield* grep({ pattern: "needle", path: "many", output_mode: "content", head_limit: 3 })
          assert.strictEqual(
            few.text,
            "many:1:needle\nmany:2:needle\nmany:3:needle\n[There is more. Narrow the search, or raise head_limit above 3.]"
          )
          assert.isTrue(few.details["truncated"])
          assert.isBelow(
            (yield* grep({ pattern: "needle", output_mode: "content", head_limit: 10_000 })).text.length,
            120_000
          )
        }),
      60_000
    )
  })

suite("grep with ripgrep", "rg")
suite("grep without ripgrep", "grep")

requires("bubblewrap", "root")("grep", () => {
  it.live(
    "says what it can't do without ripgrep, or without anything",
    () =>
      Effect.gen(function* () {
        const { grep } = yield* session("grep")
        assert.match((yield* grep({ pattern: "a", multiline: true })).text, /multiline needs ripgrep/)
        assert.match((yield* grep({ pattern: "a", type: "zig" })).text, /type zig needs ripgrep/)
        const bare = yield* session()
        assert.match((yield* bare.grep({ pattern: "a" })).text, /neither rg nor grep/)
      }),
    60_000
  )
})
