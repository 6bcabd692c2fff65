import { Effect, Schedule, Stream } from "effect"
import { readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type {
  BackendProbe,
  Ending,
  ExecRequest,
  OutputChunk,
  Process,
  Sandbox,
  SandboxBackend,
  SandboxError,
  SandboxSpec
} from "../Sandbox.ts"
import { SandboxHome } from "../SandboxHome.ts"
import { newSandboxId, plainSpec } from "../trial.ts"
import { type Bench, CheckFailed } from "./Check.ts"

/** What a process said and how it ended. */
export interface Result {
  readonly ending: Ending
  readonly stdout: string
  readonly stderr: string
}

/** Where an image is needed, and what else every sandbox of the suite is given. */
export type SpecOverrides = Partial<Pick<SandboxSpec, "image" | "variables" | "size">>

export const makeBench = (
  backend: SandboxBackend,
  probe: BackendProbe,
  directory: string,
  overrides: SpecOverrides = {}
): Bench => {
  const make: Bench["make"] = Effect.fnUntraced(function* (other) {
    const homes = yield* Effect.provide(Effect.service(SandboxHome), SandboxHome.layer(directory))
    const sandboxId = newSandboxId()
    const home = yield* Effect.acquireRelease(homes.open(sandboxId), () => Effect.orDie(homes.remove(sandboxId)))
    const spec = { ...plainSpec(home, sandboxId), ...overrides, ...other }
    const sandbox = yield* Effect.acquireRelease(backend.create(spec), ({ destroy }) => destroy)
    return { sandbox, home }
  })
  return { backend, probe, directory, make }
}

/** The longest that anything takes which is not meant to take long, on a machine that has much else to do. */
const patienceMs = 60_000

/** Runs a command to its end. A text is a script of the shell. */
export const run = (
  sandbox: Sandbox,
  command: string | ExecRequest["command"],
  other: Partial<ExecRequest> = {}
): Effect.Effect<Result, SandboxError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const process = yield* start(sandbox, command, { timeoutMs: patienceMs, ...other })
      return yield* finish(process)
    })
  )

export const start = (sandbox: Sandbox, command: string | ExecRequest["command"], other: Partial<ExecRequest> = {}) =>
  sandbox.exec({ command: typeof command === "string" ? ["sh", "-c", command] : command, ...other })

export const finish = Effect.fnUntraced(function* (process: Process) {
  const { stderr, stdout } = yield* collect(process)
  return { ending: yield* process.ending, stdout: stdout.toString("utf8"), stderr: stderr.toString("utf8") }
})

export const collect = (process: Process) =>
  Effect.map(Stream.runCollect(process.output), (chunks) => ({
    stdout: joined(chunks, "stdout"),
    stderr: joined(chunks, "stderr")
  }))

const joined = (chunks: ReadonlyArray<OutputChunk>, name: OutputChunk["stream"]) =>
  Buffer.concat(chunks.flatMap(({ bytes, stream }) => (stream === name ? [bytes] : [])))

/** Waits until something is so, and fails with the sentence where it never is. */
export const eventually = (sentence: string, isSo: () => boolean): Effect.Effect<void, CheckFailed> =>
  Effect.suspend(() =>
    isSo() ? Effect.void : Effect.fail(new CheckFailed({ detail: `never happened: ${sentence}` }))
  ).pipe(Effect.retry({ schedule: Schedule.spaced("20 millis"), times: patienceMs / 20 }))

export const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

/** A script that goes on writing to a file as long as it lives, so that the host can tell. */
export const beating = (file: string) => `while :; do echo x >> ${file}; sleep 0.02; done`

/** Waits until nothing writes to the file any more, and fails where something goes on. */
export const stopsBeating = Effect.fnUntraced(function* (file: string) {
  let before = -1
  for (let tries = 0; tries < 20; tries++) {
    const now = sizeOf(file)
    if (now === before) return
    before = now
    yield* Effect.sleep("500 millis")
  }
  return yield* new CheckFailed({ detail: "a process that should be dead goes on" })
})

export const readHost = (directory: string, name: string) => readFileSync(join(directory, name), "utf8")
export const writeHost = (directory: string, name: string, content: string) =>
  writeFileSync(join(directory, name), content, { mode: 0o644 })
