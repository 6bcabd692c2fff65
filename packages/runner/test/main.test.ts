import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { chmodSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { spawnProcess } from "./support/RunnerProcess.ts"
import { scratch } from "./support/scratch.ts"
import { TestNode } from "./support/TestNode.ts"

const main = join(import.meta.dirname, "../src/main.ts")
const cli = join(import.meta.dirname, "../../cli/bin/troupe.mjs")
const long = { timeout: 180_000 }

const exitOf = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  environment: Readonly<Record<string, string>>
) {
  const program = yield* spawnProcess(args, environment)
  const code = yield* Effect.promise(() => program.exit)
  return { code, output: program.output }
})

describe("The runner's program", () => {
  it.live(
    "says what is wrong with what it was told, and what to do",
    () =>
      Effect.gen(function* () {
        const state = yield* scratch
        const open = join(state, "token")
        writeFileSync(open, "rtok_secret")
        chmodSync(open, 0o644)
        const cases = [
          [["--bogus"], 2, "Unrecognized flag"],
          [["--state", state], 2, "--server"],
          [["--server", "ftp://x", "--state", state], 2, "no http or https address"],
          [["--server", "http://127.0.0.1:9", "--state", state, "--capacity", "0"], 2, "capacity"],
          [["--server", "http://127.0.0.1:9", "--state", state, "--token-file", open], 2, "chmod 600"],
          [["--server", "http://127.0.0.1:9", "--state", state, "--token-file", "/nowhere"], 2, "no such file"],
          [["--server", "http://127.0.0.1:9", "--state", state], 4, "--token-file"],
          [["--server", "http://127.0.0.1:9", "--state", "/proc/nowhere"], 3, "state directory"]
        ] as const
        for (const [args, code, says] of cases) {
          const told = yield* exitOf([main, ...args], { TROUPE_RUNNER_TOKEN: undefined as never })
          assert.include(told.output, says)
          assert.strictEqual(told.code, code, told.output)
          assert.notInclude(told.output, "rtok_secret")
        }
      }).pipe(Effect.scoped),
    long
  )

  it.live(
    "takes a token out of its environment, registers, and stops in order when it is told to",
    () =>
      Effect.gen(function* () {
        const home = new TestNode()
        yield* home.start
        const state = yield* scratch
        const args = [cli, "runner", "--server", home.url, "--state", state, "--name", "lab", "--label", "gpu"]
        const runner = yield* spawnProcess(args, { TROUPE_RUNNER_TOKEN: "rtok_secret" })
        yield* home.link(1)
        assert.deepStrictEqual(home.registrations, [
          { authorization: "Bearer rtok_secret", body: { name: "lab", labels: ["gpu"] } }
        ])
        assert.include(runner.output, "prefer --token-file")
        const { pid } = JSON.parse(readFileSync(join(state, "holder.json"), "utf8")) as { pid: number }
        assert.notStrictEqual(pid, runner.child.pid)
        runner.signal("SIGTERM")
        assert.strictEqual(yield* Effect.promise(() => runner.exit), 0)
        assert.include(runner.output, "no new attempts")
        assert.notInclude(runner.output, "rtok_secret")
      }).pipe(Effect.scoped),
    long
  )
})
