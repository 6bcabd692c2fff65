import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { closeSync, openSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { requires } from "../../../../test/requires.ts"
import type { Verdict } from "../../src/sandbox/conformance/hold.ts"
import { conformance } from "../../src/sandbox/conformance/suite.ts"
import { temporaryState } from "../../src/sandbox/trial.ts"

/** Some account that no one else has. */
const account = { uid: 1_899_999_999, gid: 1_899_999_999 }

const timeout = 400_000

/** The suite in a process of its own, which was started with a descriptor that nobody told it of. */
const runSuite = Effect.fnUntraced(function* (backend: string) {
  const directory = yield* temporaryState("troupe-unprivileged-")
  const secret = join(directory, "secret")
  writeFileSync(secret, "inherited")
  const descriptor = openSync(secret, "r")
  const stdio: Array<"ignore" | "pipe" | "inherit" | number> = Array.from({ length: 201 }, () => "ignore" as const)
  stdio[1] = "pipe"
  stdio[2] = "inherit"
  stdio[200] = descriptor
  const said = yield* Effect.callback<string>((resume) => {
    let text = ""
    const child = spawn(process.execPath, [join(import.meta.dirname, "conformance-main.ts"), backend], {
      ...account,
      env: { PATH: "/usr/bin:/bin" },
      stdio
    })
    child.stdout?.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")))
    child.on("close", () => resume(Effect.succeed(text)))
    return Effect.sync(() => child.kill("SIGKILL"))
  })
  closeSync(descriptor)
  const lines = said
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown)
  return { lines: lines.slice(0, -1) as ReadonlyArray<Verdict>, notes: lines.at(-1) as ReadonlyArray<string> }
})

const countOf = (subjects: ReadonlyArray<string>) =>
  conformance.filter(({ subject }) => subjects.includes(subject)).length

requires(
  "bubblewrap",
  "root",
  "open-checkout"
)("a runner that is not root", () => {
  it.live(
    "keeps the promises of bubblewrap, but for the processor's time",
    () =>
      Effect.gen(function* () {
        const { lines } = yield* runSuite("bubblewrap")
        assert.deepStrictEqual(
          lines.filter(({ failure }) => failure !== null),
          []
        )
        const promised = ["running", "isolation", "memory", "disk", "processes", "network", "terminal"]
        assert.strictEqual(lines.length, countOf(promised))
      }),
    timeout
  )

  it.live(
    "keeps the promises of local, but for processor and processes",
    () =>
      Effect.gen(function* () {
        const { lines, notes } = yield* runSuite("local")
        assert.deepStrictEqual(
          lines.filter(({ failure }) => failure !== null),
          []
        )
        assert.strictEqual(lines.length, countOf(["running", "memory", "disk", "terminal"]))
        assert.include(notes, "secrets of this user are readable")
      }),
    timeout
  )
})
