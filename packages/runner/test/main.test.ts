import { assert, describe, it } from "@effect/vitest"
import { spoken } from "@troupe/domain/runner/Protocol"
import { Effect } from "effect"
import { chmodSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { spawnProcess } from "./support/RunnerProcess.ts"
import { runnerId } from "./support/requests.ts"
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
          [["--server", "http://127.0.0.1:9", "--state", "/proc/nowhere"], 3, "state directory"],
          [
            ["--server", "http://127.0.0.1:9", "--state", state, "--token", "rtok_secret"],
            2,
            "--token-file or --token-fd"
          ]
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

  it.live(
    "takes secrets through pipes, and those of the environment of its command by one too",
    () =>
      Effect.gen(function* () {
        const home = new TestNode()
        yield* home.start
        const state = yield* scratch
        const args = [cli, "runner", "--server", home.url, "--state", state, "--token-fd", "3", "--secrets-fd=4"]
        const nowhere = "http://127.0.0.1:9/v1"
        const runner = yield* spawnProcess(
          args,
          { ANTHROPIC_API_KEY: "sk_of_the_environment", ANTHROPIC_BASE_URL: nowhere },
          ["rtok_secret", JSON.stringify({ OPENAI_API_KEY: "sk_of_the_pipe", OPENAI_BASE_URL: nowhere })]
        )
        const link = yield* home.link(1)
        assert.deepInclude(home.registrations[0], { authorization: "Bearer rtok_secret" })
        assert.include(runner.output, "ANTHROPIC_API_KEY is in the environment")
        const hello = { versions: spoken, runnerId, generation: 1, node: "test" }
        const { models } = yield* link.client.Hello(hello)
        assert.includeMembers(
          models.map(({ name }) => name),
          ["openai", "anthropic"]
        )
        const { pid } = JSON.parse(readFileSync(join(state, "holder.json"), "utf8")) as { pid: number }
        for (const seen of [
          readFileSync(`/proc/${pid}/environ`, "utf8"),
          readFileSync(`/proc/${pid}/cmdline`, "utf8")
        ]) {
          assert.notMatch(seen, /sk_of|rtok_secret/)
        }
        runner.signal("SIGTERM")
        assert.strictEqual(yield* Effect.promise(() => runner.exit), 0)
        assert.notMatch(runner.output, /sk_of|rtok_secret/)
      }).pipe(Effect.scoped),
    long
  )

  it.live(
    "takes no key from a file that others may read",
    () =>
      Effect.gen(function* () {
        const home = yield* scratch
        const args = [cli, "runner", "--server", "http://127.0.0.1:9", "--state", join(home, "state")]
        const told = exitOf(args, { TROUPE_HOME: home })
        const files = {
          "models.json": { providers: [{ name: "x", kind: "openai-chat", apiKey: "sk_secret" }] },
          "packages.json": { npm: { variables: { NPM_TOKEN: "sk_secret" } } }
        }
        for (const [name, content] of Object.entries(files)) {
          writeFileSync(join(home, name), JSON.stringify(content))
          chmodSync(join(home, name), 0o644)
          const { code, output } = yield* told
          assert.strictEqual(code, 2, output)
          assert.include(output, name)
          assert.include(output, "others may read it: chmod 600 it")
          assert.notInclude(output, "sk_secret")
          chmodSync(join(home, name), 0o600)
        }
        // Now it is only the token that it lacks.
        assert.strictEqual((yield* told).code, 4)
      }).pipe(Effect.scoped),
    long
  )
})
