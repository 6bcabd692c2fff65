import { assert, it } from "@effect/vitest"
import type { JsonObject } from "@troupe/domain/Json"
import { Effect, Fiber } from "effect"
import { randomInt } from "node:crypto"
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { requires } from "../../../../test/requires.ts"
import { bubblewrap } from "../../src/sandbox/Bubblewrap.ts"
import { local } from "../../src/sandbox/Local.ts"
import type { SandboxBackend } from "../../src/sandbox/Sandbox.ts"
import { gatewayOf, placeOn, textOf, trusting } from "./world.ts"

const slow = 120_000

const sessionOn = (backend: SandboxBackend) =>
  Effect.gen(function* () {
    const world = yield* placeOn(backend)
    const { call, frames } = gatewayOf({ place: world.place, policies: trusting })
    const run = (input: string | JsonObject) =>
      Effect.map(call("bash", typeof input === "string" ? { command: input } : input), (result) => {
        if (result._tag !== "Done") return assert.fail("nobody is to be asked")
        return { ...result, text: textOf(result.content), details: frames.last("ToolFinished").details ?? {} }
      })
    /** What the session calls a path of the host. */
    const inside = (path: string) => path.replace(world.workspace, world.place.workspace)
    return { ...world, run, frames, call, inside }
  })

/** A command that nobody else runs, to be found on the host whatever its number is inside. */
const longSleep = () => `sleep 1${String(randomInt(1e9)).padStart(9, "0")}`

const isAlive = (command: string) =>
  readdirSync("/proc").some((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, "utf8") === `${command.replace(" ", "\0")}\0`
    } catch {
      return false
    }
  })

const untilAlive = (command: string): Effect.Effect<void> =>
  Effect.suspend(() => (isAlive(command) ? Effect.void : Effect.andThen(Effect.sleep(10), untilAlive(command))))

const suite = (backend: SandboxBackend) => () => {
  const session = sessionOn(backend)

  it.live(
    "gives what was printed, on both streams, and the exit code",
    () =>
      Effect.gen(function* () {
        const { run } = yield* session
        const fine = yield* run("echo out; echo err >&2")
        assert.deepStrictEqual([...fine.text.trim().split("\n")].sort(), ["err", "out"])
        assert.deepStrictEqual(
          [fine.outcome, fine.details["exitCode"], fine.details["stderrBytes"]],
          ["succeeded", 0, 4]
        )
        const failed = yield* run("echo no; (exit 7)")
        assert.strictEqual(failed.text, "no\n[Exit code 7]")
        assert.deepStrictEqual([failed.outcome, failed.isError, failed.details["exitCode"]], ["failed", true, 7])
        assert.strictEqual((yield* run("true")).text, "(no output)")
      }),
    slow
  )

  it.live(
    "is one shell for the session: directory, variables, functions and jobs stay",
    () =>
      Effect.gen(function* () {
        const { inside, run, workspace } = yield* session
        const command = longSleep()
        yield* run("mkdir -p deep && cd deep && export A='a b' && f() { echo \"f $1\"; }")
        assert.strictEqual((yield* run('pwd; echo "$A"; f x')).text, `${inside(workspace)}/deep\na b\nf x\n`)
        yield* run(`${command} &`)
        assert.include((yield* run("jobs")).text, command)
        yield* untilAlive(command)
      }),
    slow
  )

  it.live(
    "survives its scope by nothing",
    () =>
      Effect.gen(function* () {
        const command = longSleep()
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { run } = yield* session
            yield* run(`${command} &`)
            yield* untilAlive(command)
          })
        )
        assert.isFalse(isAlive(command))
      }),
    slow
  )

  it.live(
    "has no input to give: what reads gets an end of file, and not the next command",
    () =>
      Effect.gen(function* () {
        const { run } = yield* session
        assert.strictEqual((yield* run('cat; read x; echo "got [$x]"')).text, "got []\n")
        assert.strictEqual((yield* run("echo still here")).text, "still here\n")
      }),
    slow
  )

  it.live(
    "takes output as it is: without a line end, with line ends, quotes and documents",
    () =>
      Effect.gen(function* () {
        const { run } = yield* session
        assert.strictEqual((yield* run("printf abc")).text, "abc")
        assert.strictEqual((yield* run("printf abc; false")).text, "abc\n[Exit code 1]")
        assert.strictEqual((yield* run("cat <<'EOF'\nit's $HOME \\ \"x\"\nEOF")).text, 'it\'s $HOME \\ "x"\n')
        assert.strictEqual((yield* run("# nothing\n\n  \n")).text, "(no output)")
      }),
    slow
  )

  it.live(
    "shows bytes that are no text as marks of that",
    () =>
      Effect.gen(function* () {
        const { run } = yield* session
        const { text } = yield* run("printf 'a\\xff\\xfe\\x00b'; head -c 3000 /dev/urandom | tr -d '\\n' >/dev/null")
        assert.strictEqual(text, "a\ufffd\ufffd\ufffdb")
      }),
    slow
  )

  it.live(
    "tells its own marks from what commands print",
    () =>
      Effect.gen(function* () {
        const { run } = yield* session
        const forged = yield* run("printf '\\0deadbeef:0\\0'; printf '\\0'; set -x; echo traced; set +x")
        assert.include(forged.text, "deadbeef:0")
        assert.include(forged.text, "traced")
        assert.notInclude(forged.text, "builtin printf")
        assert.strictEqual((yield* run("exec > redirected; echo into a file")).text, "(no output)")
        assert.strictEqual((yield* run("exec > /dev/null 2>&1; echo gone")).details["exitCode"], 0)
        assert.strictEqual((yield* run("builtin printf 'x'; (exit 4)")).details["exitCode"], 4)
      }),
    slow
  )

  it.live(
    "says that the shell ended, and starts another one",
    () =>
      Effect.gen(function* () {
        const { run } = yield* session
        yield* run("X=1")
        const ended = yield* run("echo before; exit 3")
        assert.match(ended.text, /^before\n\[The shell ended: exit code 3\. The next call gets a fresh shell/)
        assert.deepStrictEqual(
          [ended.outcome, ended.details["exitCode"], ended.details["shellEnded"]],
          ["failed", 3, true]
        )
        assert.strictEqual((yield* run('echo "[$X]"')).text, "[]\n")
        assert.match((yield* run("set -e; false; echo not reached")).text, /^\[The shell ended: exit code 1/)
        assert.match((yield* run("kill -9 $$")).text, /signal SIGKILL/)
        assert.match((yield* run("exec ls /nowhere")).text, /The shell ended: exit code 2/)
        assert.match((yield* run("if then")).text, /syntax error/)
        assert.strictEqual((yield* run("echo fine")).text, "fine\n")
      }),
    slow
  )

  it.live(
    "kills what takes too long, gives what it said by then, and starts another shell",
    () =>
      Effect.gen(function* () {
        const { run } = yield* session
        const command = longSleep()
        const late = yield* run({ command: `echo partial; ${command}`, timeout_ms: 500 })
        assert.match(late.text, /^partial\n\[Killed after 500 ms, and the shell with it/)
        assert.deepStrictEqual([late.outcome, late.isError], ["timed_out", true])
        assert.isFalse(isAlive(command))
        assert.strictEqual((yield* run("echo again")).text, "again\n")
      }),
    slow
  )

  it.live(
    "kills what prints for ever, with little kept of it",
    () =>
      Effect.gen(function* () {
        const { run } = yield* session
        const late = yield* run({ command: "yes 0123456789", timeout_ms: 800 })
        assert.strictEqual(late.outcome, "timed_out")
        assert.isBelow(late.text.length, 40_000)
        assert.isTrue(late.details["truncated"])
      }),
    slow
  )

  it.live(
    "shows head and tail of 100 MB, keeps all of it in a file, and holds little of it in memory",
    () =>
      Effect.gen(function* () {
        const { run, spilled } = yield* session
        globalThis.gc?.()
        const before = process.memoryUsage().rss
        let most = before
        const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 20)
        const long = yield* run("echo first; yes 0123456789abcdef | head -c 104857600; echo; echo last")
        clearInterval(watch)
        assert.match(long.text, /^first\n/)
        assert.match(long.text, /last\n$/)
        assert.isBelow(long.text.length, 31_000)
        const spill = String(long.details["spill"])
        const kept = join(spilled, basename(spill))
        assert.include(long.text, `All of it is in ${spill}.`)
        assert.strictEqual(statSync(kept).size, 104_857_600 + "first\n\nlast\n".length)
        assert.strictEqual(long.details["outputBytes"], statSync(kept).size)
        assert.isBelow((most - before) / 1_048_576, 60, "MB more than before")
        const read = yield* run(`tail -n 1 ${spill}`)
        assert.strictEqual(read.text, "last\n")
      }),
    slow * 2
  )

  it.live(
    "starts fresh when asked, and ends what ran",
    () =>
      Effect.gen(function* () {
        const { run } = yield* session
        const command = longSleep()
        yield* run(`X=1; ${command} &`)
        yield* untilAlive(command)
        assert.strictEqual((yield* run({ restart: true })).text, "A fresh shell is ready.")
        assert.isFalse(isAlive(command))
        assert.strictEqual((yield* run({ restart: true, command: 'echo "[$X]"' })).text, "[]\n")
      }),
    slow
  )

  it.live(
    "tells what the background said since the call before",
    () =>
      Effect.gen(function* () {
        const { run, workspace } = yield* session
        yield* run("(until [ -e go ]; do sleep 0.01; done; echo late; touch done) &")
        writeFileSync(join(workspace, "go"), "")
        while (!existsSync(join(workspace, "done"))) yield* Effect.sleep(10)
        assert.include((yield* run("echo now")).text, "late\n")
        assert.strictEqual((yield* run("echo now")).text, "now\n")
      }),
    slow
  )

  it.live(
    "is interrupted within a second, with everything it started",
    () =>
      Effect.gen(function* () {
        const { call, frames, run } = yield* session
        yield* run("echo warm")
        const command = longSleep()
        const running = yield* Effect.forkChild(call("bash", { command: `${command} & wait` }))
        yield* untilAlive(command)
        yield* Fiber.interrupt(running)
        assert.isFalse(isAlive(command))
        assert.strictEqual(frames.last("ToolFinished").outcome, "interrupted")
        assert.strictEqual((yield* run("echo after")).text, "after\n")
      }),
    slow
  )

  it.live(
    "runs one command after the other, also when they are asked for together",
    () =>
      Effect.gen(function* () {
        const { run } = yield* session
        const texts = yield* Effect.forEach([1, 2, 3, 4], (n) => run(`echo a${n}; sleep 0.05; echo b${n}`), {
          concurrency: 4
        })
        texts.forEach(({ text }, index) => assert.strictEqual(text, `a${index + 1}\nb${index + 1}\n`))
      }),
    slow
  )

  it.live(
    "refuses what can't be a command",
    () =>
      Effect.gen(function* () {
        const { run } = yield* session
        assert.match((yield* run("echo a\0b")).text, /NUL/)
        assert.match((yield* run({})).text, /command/)
        assert.match(
          (yield* run({ command: "ls", timeout: 5 })).text,
          /`timeout` is not known; there is command, restart, timeout_ms/
        )
      }),
    slow
  )
}

requires("bubblewrap", "root")("bash in bubblewrap", suite(bubblewrap()))
requires("root")("bash without isolation", suite(local()))
