import { Duration, Effect, Exit, Schedule, Scope } from "effect"
import type { Ending, ExecRequest, Sandbox, SandboxError, SandboxSpec } from "../Sandbox.ts"
import type { Container } from "./Container.ts"
import { diskUse } from "./DiskUse.ts"
import { backendName, dockerError } from "./dockerError.ts"
import { listContainers, removeContainer } from "./Engine.ts"
import type { EngineApi } from "./EngineApi.ts"
import { isStatus } from "./EngineError.ts"
import { type RunningProcess, start } from "./DockerProcess.ts"

/** A sandbox in its running container. `destroy` ends what `scope` holds. */
export const make = Effect.fn("DockerSandbox.make")(function* (
  engine: EngineApi,
  spec: SandboxSpec,
  container: Container,
  options: { readonly owner: string; readonly user: string; readonly subreaper: boolean }
): Effect.fn.Return<Sandbox> {
  const scope = yield* Scope.make()
  const running = new Set<RunningProcess>()
  yield* Effect.forkIn(watchDisk(spec, running), scope)
  let destroyed = false

  const endAll = (ending: Ending) => Effect.forEach([...running], (each) => each.end(ending), { discard: true })

  return {
    spec,
    backend: backendName,
    isolation: "container",
    exec: Effect.fn("DockerSandbox.exec")(function* (request) {
      if (destroyed) return yield* Effect.fail(dockerError({ _tag: "Gone", detail: "it was destroyed" }))
      yield* checked(request)
      const process = yield* start(engine, container, { ...options, variables: spec.variables }, request)
      yield* Effect.acquireRelease(
        Effect.sync(() => running.add(process)),
        () => Effect.sync(() => running.delete(process))
      )
      return process
    }),
    destroy: Effect.gen(function* () {
      destroyed = true
      yield* Scope.close(scope, Exit.void)
      yield* removeAll(engine, { owner: options.owner, sandbox: spec.sandboxId })
      yield* endAll({ _tag: "Killed", reason: "its sandbox was destroyed" })
      yield* container.detach
    }).pipe(Effect.uninterruptible, Effect.withSpan("DockerSandbox.destroy"))
  }
})

const checked = ({ command, cwd, variables }: ExecRequest): Effect.Effect<void, SandboxError> => {
  const bad = (field: string, detail: string) => Effect.fail(dockerError({ _tag: "BadRequest", field, detail }))
  if (command.length === 0 || command[0] === "") return bad("command", "it is empty")
  if (command.some((word) => word.includes("\0"))) return bad("command", "it has a NUL byte")
  if (cwd !== undefined && (!cwd.startsWith("/") || cwd.includes("\0"))) return bad("cwd", "it is no absolute path")
  const wrong = Object.entries(variables ?? {}).find(
    ([name, value]) => name === "" || /[=\0]/.test(name) || value.includes("\0")
  )
  return wrong === undefined ? Effect.void : bad("variables", `${JSON.stringify(wrong[0])} can't be one`)
}

/** Removes the containers with these labels, with what they wrote. */
export const removeAll = Effect.fnUntraced(function* (engine: EngineApi, labels: Parameters<typeof listContainers>[1]) {
  const remove = Effect.gen(function* () {
    for (const { Id } of yield* listContainers(engine, labels)) {
      // 404: gone. 409: somebody is removing it.
      yield* Effect.catchIf(removeContainer(engine, Id), isStatus(404, 409), () => Effect.void)
    }
    return (yield* listContainers(engine, labels)).length
  })
  yield* remove.pipe(
    Effect.repeat({ until: (left) => left === 0, schedule: Schedule.spaced(100), times: 100 }),
    Effect.retry({ schedule: Schedule.spaced(500), times: 4 }),
    // It is labelled, and collected when the runner starts again.
    Effect.catch((error) => Effect.logWarning("A sandbox's container could not be removed", error.message))
  )
})

const lookEveryMs = 1_000

/**
 * Ends all processes once the mounted directories hold more than they may and grow on: whoever cleans up is left alone.
 * How often it looks depends on how long that takes.
 */
const watchDisk = Effect.fnUntraced(function* (spec: SandboxSpec, running: ReadonlySet<RunningProcess>) {
  const writable = spec.mounts.filter(({ readOnly }) => !readOnly).map(({ source }) => source)
  const most = spec.size.diskMb * 1024 * 1024
  let before = most
  let pauseMs = lookEveryMs
  while (true) {
    yield* Effect.sleep(pauseMs)
    if (running.size === 0) continue
    const [took, now] = yield* Effect.timed(diskUse(writable))
    pauseMs = Math.max(lookEveryMs, 10 * Duration.toMillis(took))
    if (now > before) {
      yield* Effect.forEach([...running], (each) => each.end({ _tag: "OutOfDisk" }), { discard: true })
    }
    before = Math.max(most, now)
  }
})
