import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"
import { requires } from "../../../../test/requires.ts"
import { bubblewrap } from "../../src/sandbox/Bubblewrap.ts"
import { eventually, makeBench, run, sizeOf, stopsBeating } from "../../src/sandbox/conformance/Bench.ts"
import { local } from "../../src/sandbox/Local.ts"
import { isBirthmarkOf, processesMarked } from "../../src/sandbox/Birthmarks.ts"
import type { SandboxBackend } from "../../src/sandbox/Sandbox.ts"
import { SandboxHome } from "../../src/sandbox/SandboxHome.ts"
import { newSandboxId, plainSpec, temporaryState } from "../../src/sandbox/trial.ts"

const timeout = 120_000

/** A runner of its own with a sandbox at work, and what it has on disk. */
const runnerAtWork = Effect.fnUntraced(function* (backend: string) {
  const directory = join(yield* temporaryState("troupe-abandoned-"), "state")
  const id = newSandboxId()
  const child = yield* Effect.acquireRelease(
    Effect.callback<ChildProcess>((resume) => {
      const main = join(import.meta.dirname, "abandoned-main.ts")
      const started = spawn(process.execPath, [main, backend, directory, id], { stdio: ["ignore", "pipe", "inherit"] })
      started.stdout?.once("data", () => resume(Effect.succeed(started)))
    }),
    (started) => Effect.sync(() => started.kill("SIGKILL"))
  )
  const homes = yield* Effect.provide(Effect.service(SandboxHome), SandboxHome.layer(directory))
  const home = yield* Effect.acquireRelease(homes.open(id), () => Effect.orDie(homes.remove(id)))
  const beats = ["beat", "front"].map((name) => join(home.workspace, name))
  for (const beat of beats) yield* eventually("it is at work", () => sizeOf(beat) > 0)
  return {
    child,
    spec: plainSpec(home, id),
    beats,
    isLeft: () => processesMarked((mark) => isBirthmarkOf(id, mark)).length > 0
  }
})

const takesOver = (backend: SandboxBackend) =>
  Effect.gen(function* () {
    const { beats, child, isLeft, spec } = yield* runnerAtWork(backend.name)
    assert.isTrue(isLeft())
    child.kill("SIGKILL")
    const sandbox = yield* Effect.acquireRelease(backend.resume(spec), ({ destroy }) => destroy)
    for (const beat of beats) yield* stopsBeating(beat)
    yield* eventually("nothing of it is left", () => !isLeft())
    assert.strictEqual((yield* run(sandbox, "test -s beat && echo files are here")).stdout, "files are here\n")
  })

requires("bubblewrap", "root")("sandboxes of a runner that was killed", () => {
  it.live(
    "end with it, where they have namespaces",
    () =>
      Effect.gen(function* () {
        const { beats, child, isLeft, spec } = yield* runnerAtWork("bubblewrap")
        child.kill("SIGKILL")
        for (const beat of beats) yield* stopsBeating(beat)
        yield* eventually("nothing of it is left", () => !isLeft())
        // For its control group.
        yield* (yield* bubblewrap().resume(spec)).destroy
      }),
    timeout
  )

  it.live("are taken over without their processes: bubblewrap", () => takesOver(bubblewrap()), timeout)
  it.live("are taken over without their processes: local", () => takesOver(local()), timeout)
})

requires("bubblewrap", "root")("the disk of a sandbox", () => {
  it.live(
    "counts files that have no name any more",
    () =>
      Effect.gen(function* () {
        const directory = join(yield* temporaryState("troupe-disk-"), "state")
        const bench = makeBench(bubblewrap(), yield* bubblewrap().probe, directory)
        const { sandbox } = yield* bench.make({ size: { cpus: 1, memoryMb: 128, diskMb: 32, processes: 64 } })
        const script =
          "hold() { exec 3> hidden-$1; rm hidden-$1; head -c 12582912 /dev/zero >&3; sleep 600; }; hold 1 & hold 2 & hold 3 & hold 4 & wait"
        const { ending } = yield* run(sandbox, script)
        assert.deepStrictEqual(ending, { _tag: "OutOfDisk" })
      }),
    timeout
  )
})
