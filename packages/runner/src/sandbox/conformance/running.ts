import { Effect, Stream } from "effect"
import { join } from "node:path"
import { places } from "../Sandbox.ts"
import { insidePath, temporary } from "../SandboxPaths.ts"
import { collect, eventually, finish, readHost, run, sizeOf, start, writeHost } from "./Bench.ts"
import { type Check, check, equals, holds } from "./Check.ts"

const exited = (code: number) => ({ _tag: "Exited", code })

export const running: ReadonlyArray<Check> = [
  check("running", "a command ends with its own code", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make()
      for (const code of [0, 1, 42]) {
        yield* equals((yield* run(sandbox, `exit ${code}`)).ending, exited(code), "the ending")
      }
    })
  ),
  check("running", "a signal is told by its name", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make()
      const { ending } = yield* run(sandbox, "kill -TERM $$; sleep 60")
      yield* equals(ending, { _tag: "Signalled", signal: "SIGTERM" }, "the ending")
    })
  ),
  check("running", "a command that does not exist ends with 127", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make()
      const { ending } = yield* run(sandbox, ["no-such-command"])
      yield* equals(ending, exited(127), "the ending")
    })
  ),
  check("running", "the two streams are kept apart", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make()
      const { stderr, stdout } = yield* run(sandbox, "echo out; echo err >&2; echo again")
      yield* equals([stdout, stderr], ["out\nagain\n", "err\n"], "the streams")
    })
  ),
  check("running", "bytes that are no text arrive as they are", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make()
      const bytes = Uint8Array.from({ length: 256 }, (_, value) => value)
      const process = yield* start(sandbox, ["cat"], { input: true })
      yield* process.write(bytes)
      yield* process.closeInput
      const { stdout } = yield* collect(process)
      yield* equals([...stdout], [...bytes], "what came back")
    })
  ),
  check("running", "arguments arrive as they are", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make()
      const given = [
        "",
        " ",
        "a b",
        "'",
        '"',
        "\\",
        "$HOME",
        "`id`",
        "*",
        "-n",
        "--",
        "line\nline",
        "ünï✓",
        "x".repeat(100_000)
      ]
      const { stdout } = yield* run(sandbox, [
        "sh",
        "-c",
        `for one in "$@"; do printf '%s\\001' "$one"; done`,
        "sh",
        ...given
      ])
      yield* holds(stdout === given.map((one) => `${one}\u0001`).join(""), "every argument arrives unchanged")
    })
  ),
  check("running", "variables are those that were given, and no others", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make()
      const variables = { ODD_ONE: "a 'b' \"c\"\n$d", EMPTY: "" }
      const { stdout } = yield* run(sandbox, ["cat", "/proc/self/environ"], { variables })
      const found = Object.fromEntries(
        stdout
          .split("\0")
          .flatMap((line) =>
            line === "" ? [] : [[line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]]
          )
      ) as Record<string, string>
      const told = { ...sandbox.spec.variables, ...variables }
      for (const [name, value] of Object.entries(told)) yield* equals(found[name], value, `the variable ${name}`)
      const others = Object.keys(found).filter((name) => !(name in told) && !["PWD", "HOSTNAME", "HOME"].includes(name))
      yield* equals(others, [], "variables that nobody gave")
    })
  ),
  check("running", "a process begins in the workspace, or where it is told", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make()
      yield* equals(
        (yield* run(sandbox, "pwd -P")).stdout.trim(),
        insidePath(sandbox, places.workspace),
        "the directory"
      )
      yield* run(sandbox, "mkdir -p 'some where/deep'")
      const cwd = `${places.workspace}/some where/deep`
      yield* equals((yield* run(sandbox, "pwd -P", { cwd })).stdout.trim(), insidePath(sandbox, cwd), "the directory")
    })
  ),
  check("running", "files are the same inside and on the host, and stay between processes", (bench) =>
    Effect.gen(function* () {
      const { home, sandbox } = yield* bench.make()
      const inside = (path: string) => `'${insidePath(sandbox, path)}'`
      yield* Effect.sync(() => writeHost(home.uploads, "given", "from outside"))
      yield* equals(
        (yield* run(sandbox, `cat ${inside(`${places.uploads}/given`)}`)).stdout,
        "from outside",
        "an upload"
      )
      yield* run(sandbox, `echo made > ${inside(`${places.outputs}/made`)}; echo kept > ${inside(`${temporary}/kept`)}`)
      yield* equals(readHost(home.outputs, "made"), "made\n", "an output, seen from the host")
      yield* equals((yield* run(sandbox, `cat ${inside(`${temporary}/kept`)}`)).stdout, "kept\n", "a temporary file")
    })
  ),
  check("running", "a process without input reads an end of file", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make()
      yield* equals(
        yield* run(sandbox, "cat; echo done"),
        { ending: exited(0), stdout: "done\n", stderr: "" },
        "the result"
      )
    })
  ),
  check("running", "input arrives as it is written, while the process runs", (bench) =>
    Effect.gen(function* () {
      const { home, sandbox } = yield* bench.make()
      const process = yield* start(sandbox, "read first; echo $first > first; cat", { input: true })
      yield* process.write(Buffer.from("one\n"))
      yield* eventually("the first line was read", () => sizeOf(join(home.workspace, "first")) === 4)
      yield* process.write(Buffer.from("two\n"))
      yield* process.closeInput
      yield* equals((yield* finish(process)).stdout, "two\n", "the rest")
    })
  ),
  check("running", "the devices of the streams can be opened by name", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make()
      const process = yield* start(sandbox, "cat /dev/stdin > /dev/stdout; echo err > /dev/stderr", { input: true })
      yield* process.write(Buffer.from("through\n"))
      yield* process.closeInput
      yield* equals(yield* finish(process), { ending: exited(0), stdout: "through\n", stderr: "err\n" }, "the result")
    })
  ),
  check("running", "a hundred megabytes arrive whole", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make()
      const process = yield* start(sandbox, "head -c 104857600 /dev/zero")
      const bytes = yield* Stream.runFold(
        process.output,
        () => 0,
        (sum, chunk) => sum + chunk.bytes.length
      )
      yield* equals([bytes, yield* process.ending], [104_857_600, exited(0)], "bytes and ending")
    })
  ),
  check("running", "who prints for ever waits for the reader, and no memory grows", (bench) =>
    Effect.gen(function* () {
      const { home, sandbox } = yield* bench.make()
      const counter = join(home.workspace, "counter")
      // Each character in the file stands for 64 KiB that were printed.
      const process = yield* start(sandbox, "while :; do head -c 65536 /dev/zero || exit; printf x >> counter; done")
      yield* eventually("something was printed", () => sizeOf(counter) > 0)
      const stuck = yield* whenStuck(counter)
      yield* holds(stuck < 160, "the process waits before it has printed 10 MiB that nobody read", stuck * 65_536)
      const read = yield* process.output.pipe(
        Stream.map(({ bytes }) => bytes.length),
        Stream.scan(
          () => 0,
          (sum, bytes) => sum + bytes
        ),
        Stream.takeUntil((sum) => sum > 32 * 1_048_576),
        Stream.runLast
      )
      yield* holds(read._tag === "Some" && read.value > 32 * 1_048_576, "it goes on once somebody reads")
    })
  ),
  check("running", "several processes run at once", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make()
      const all = yield* Effect.forEach(
        [1, 2, 3, 4],
        (n) =>
          run(
            sandbox,
            `touch is-${n}; until [ -e is-1 ] && [ -e is-2 ] && [ -e is-3 ] && [ -e is-4 ]; do sleep 0.05; done; echo ${n}`
          ),
        {
          concurrency: "unbounded"
        }
      )
      yield* equals(
        all.map(({ stdout }) => stdout.trim()),
        ["1", "2", "3", "4"],
        "what each said"
      )
    })
  )
]

/** Where the counter stands once it has stood still for a second. */
const whenStuck = Effect.fnUntraced(function* (file: string) {
  for (let before = -1; ;) {
    const now = sizeOf(file)
    if (now === before) return now
    before = now
    yield* Effect.sleep("1 second")
  }
})
