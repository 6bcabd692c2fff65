import { Effect, Exit, Scope, Stream } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { bubblewrap } from "../../../packages/runner/src/sandbox/Bubblewrap.ts"
import * as DockerBackend from "../../../packages/runner/src/sandbox/docker/DockerBackend.ts"
import { local } from "../../../packages/runner/src/sandbox/Local.ts"
import type { SandboxBackend } from "../../../packages/runner/src/sandbox/Sandbox.ts"
import { SandboxHome } from "../../../packages/runner/src/sandbox/SandboxHome.ts"
import { newSandboxId, plainSpec, temporaryState } from "../../../packages/runner/src/sandbox/trial.ts"
import { withDocker } from "../../harness/docker.ts"
import { compared, type Result } from "../../harness/Result.ts"
import { interleave } from "../../harness/rounds.ts"
import type { Bench, Context } from "../../harness/Suite.ts"

const peer = "sh -c true on the host"
const backends: ReadonlyArray<SandboxBackend> = [
  bubblewrap(),
  local(),
  DockerBackend.make({ ...DockerBackend.defaults, owner: "bench" })
]

/** A sandbox from nothing to the end of its first process. */
const firstTrue = (backend: SandboxBackend, directory: string) =>
  Effect.gen(function* () {
    const homes = yield* SandboxHome
    const sandboxId = newSandboxId()
    const home = yield* Effect.acquireRelease(homes.open(sandboxId), () => Effect.orDie(homes.remove(sandboxId)))
    const begun = performance.now()
    const sandbox = yield* Effect.acquireRelease(backend.create(plainSpec(home, sandboxId)), ({ destroy }) => destroy)
    const process = yield* sandbox.exec({ command: ["true"] })
    yield* Stream.runDrain(process.output)
    yield* process.ending
    return performance.now() - begun
  }).pipe(Effect.scoped, Effect.provide(SandboxHome.layer(join(directory, "homes"))))

const native = async () => {
  const begun = performance.now()
  await once(spawn("sh", ["-c", "true"], { stdio: "ignore" }), "exit")
  return performance.now() - begun
}

const run = async ({ plan, say }: Context): Promise<ReadonlyArray<Result>> => {
  const scope = Effect.runSync(Scope.make())
  try {
    const directory = await Effect.runPromise(Scope.provide(temporaryState("troupe-bench-"), scope))
    const usable: Array<SandboxBackend> = []
    for (const backend of backends) {
      const { notes, usable: isUsable } = await Effect.runPromise(backend.probe)
      if (isUsable) usable.push(backend)
      else say(`  ${backend.name} is left out: ${notes.join("; ")}`)
    }
    const sides = [
      ...usable.map((backend) => ({
        name: backend.name,
        measure: () => Effect.runPromise(firstTrue(backend, directory))
      })),
      { name: "native", measure: native }
    ]
    const values = await interleave(sides, plan, say)
    return usable.map(({ name }): Result => {
      const subject = { id: "R-START", metric: `${name}: made, and its first process ended`, unit: "ms" }
      return compared(subject, values.get(name)!, peer, values.get("native")!, null)
    })
  } finally {
    await Effect.runPromise(Scope.close(scope, Exit.void))
  }
}

/** How long a session waits for its sandbox, with each backend that this host has. */
export const sandboxStart: Bench = {
  id: "R-START",
  about: "start of a sandbox",
  run: (context) => withDocker(context.say, () => run(context))
}
