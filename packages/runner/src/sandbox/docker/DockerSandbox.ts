import { Effect, Schedule } from "effect"
import { checkRequest } from "../checkRequest.ts"
import { diskExceeded } from "../DiskUsage.ts"
import type { Ending, Sandbox, SandboxSpec } from "../Sandbox.ts"
import { temporaryOf } from "../SandboxPaths.ts"
import type { Container } from "./Container.ts"
import { backendName, dockerError } from "./dockerError.ts"
import { listContainers, removeContainer } from "./Engine.ts"
import type { EngineApi } from "./EngineApi.ts"
import { isStatus } from "./EngineError.ts"
import { hostProcesses } from "./hostProcesses.ts"
import { type RunningProcess, start } from "./DockerProcess.ts"

/** A sandbox in its running container. */
export const make = Effect.fn("DockerSandbox.make")(function* (
  engine: EngineApi,
  spec: SandboxSpec,
  container: Container,
  options: { readonly owner: string; readonly user: string; readonly subreaper: boolean }
): Effect.fn.Return<Sandbox> {
  const running = new Set<RunningProcess>()
  const directories = [
    temporaryOf(spec.home),
    ...spec.mounts.flatMap(({ readOnly, source }) => (readOnly ? [] : [source]))
  ]
  let destroyed = false

  return {
    spec,
    backend: backendName,
    isolation: "container",
    exec: Effect.fn("DockerSandbox.exec")(function* (request) {
      if (destroyed) return yield* Effect.fail(dockerError({ _tag: "Gone", detail: "it was destroyed" }))
      const bad = checkRequest(spec, request)
      if (bad !== undefined) return yield* Effect.fail(dockerError(bad))
      const process = yield* start(engine, container, { ...options, variables: spec.variables }, request)
      yield* Effect.acquireRelease(
        Effect.sync(() => running.add(process)),
        () => Effect.sync(() => running.delete(process))
      )
      const full = diskExceeded(directories, spec.size.diskMb * 1024 * 1024, {
        processes: () => hostProcesses(container.id),
        group: undefined
      })
      yield* Effect.forkScoped(Effect.andThen(full, process.end({ _tag: "OutOfDisk" })))
      return process
    }),
    destroy: Effect.gen(function* () {
      destroyed = true
      const ending: Ending = { _tag: "Killed", reason: "its sandbox was destroyed" }
      for (const process of running) process.condemn(ending)
      yield* removeAll(engine, { owner: options.owner, sandbox: spec.sandboxId })
      yield* Effect.forEach([...running], (process) => process.end(ending), { discard: true })
      yield* container.detach
    }).pipe(Effect.uninterruptible, Effect.withSpan("DockerSandbox.destroy"))
  }
})

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
