import { Effect, type Scope } from "effect"
import { rmSync } from "node:fs"
import { checkRequest } from "../checkRequest.ts"
import type { Ending, ExecRequest, Sandbox, SandboxError, SandboxSpec } from "../Sandbox.ts"
import { failure } from "../SandboxFailure.ts"
import type { ClientProcess } from "./ClientProcess.ts"

export interface ClientProcessesOptions {
  readonly name: string
  readonly spec: SandboxSpec
  /** Of ours, on this host. */
  readonly place: string
  readonly start: (request: ExecRequest, number: number) => Effect.Effect<ClientProcess, SandboxError, Scope.Scope>
}

/** What runs in one sandbox of a client, wherever its files are. */
export interface ClientProcesses {
  readonly exec: Sandbox["exec"]
  readonly areLive: () => boolean
  readonly endAll: (why: Ending) => Effect.Effect<void>
  /** Ends all, lets nothing begin any more, then does the rest of it, once. */
  readonly destroy: (rest: Effect.Effect<void>) => Effect.Effect<void>
}

export const clientProcesses = ({ name, place, spec, start }: ClientProcessesOptions): ClientProcesses => {
  const fail = failure(name)
  const live = new Set<ClientProcess>()
  let destroyed = false
  let count = 0

  const exec: Sandbox["exec"] = Effect.fn("ClientProcesses.exec")(function* (request) {
    if (destroyed) return yield* fail({ _tag: "Gone", detail: "the sandbox was destroyed" })
    const bad = checkRequest(spec, request)
    if (bad !== undefined) return yield* fail(bad)
    if (request.terminal !== undefined) {
      return yield* fail({ _tag: "BadRequest", field: "terminal", detail: "this backend has no terminals" })
    }
    const running = yield* start(request, ++count)
    yield* Effect.acquireRelease(
      Effect.sync(() => live.add(running)),
      () => Effect.sync(() => live.delete(running))
    )
    const { timeoutMs } = request
    if (timeoutMs !== undefined) {
      yield* Effect.forkScoped(Effect.delay(running.end({ _tag: "TimedOut", afterMs: timeoutMs }), timeoutMs))
    }
    return running.process
  })

  const endAll = (why: Ending) =>
    Effect.forEach([...live], (one) => one.end(why), { concurrency: "unbounded", discard: true })

  const destroy = (rest: Effect.Effect<void>) =>
    Effect.gen(function* () {
      if (destroyed) return
      destroyed = true
      yield* endAll({ _tag: "Killed", reason: "the sandbox was destroyed" })
      yield* rest
      yield* Effect.sync(() => rmSync(place, { recursive: true, force: true }))
    }).pipe(Effect.uninterruptible, Effect.withSpan("ClientProcesses.destroy"))

  return { exec, areLive: () => live.size > 0, endAll, destroy }
}
