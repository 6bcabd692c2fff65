import { Effect, Exit, Scope, Semaphore } from "effect"
import type { SandboxError } from "../Sandbox.ts"
import { dockerError, fromEngine } from "./dockerError.ts"
import { inspectContainer, processesOf, restartContainer, startContainer } from "./Engine.ts"
import type { EngineApi } from "./EngineApi.ts"
import * as Keeper from "./Keeper.ts"

/** A sandbox's container, kept going: whoever runs in it can end it, and nobody else suffers from that. */
export interface Container {
  readonly id: string
  /** The keeper of the running container, which is started first if it has ended. */
  readonly keeper: Effect.Effect<Keeper.Keeper, SandboxError>
  /** Ends every process by starting the container anew. What was in its memory is gone; what is mounted stays. */
  readonly restart: Effect.Effect<void, SandboxError>
  readonly hasEnded: Effect.Effect<{ readonly outOfMemory: boolean } | undefined>
  /** Whether a process is left that belongs to no exec, or to this one: as the host sees it, whom nothing in there deceives. */
  readonly hasLeftovers: (execPid: number | undefined) => Effect.Effect<boolean>
  readonly detach: Effect.Effect<void>
}

export const make = (
  engine: EngineApi,
  id: string,
  /** What shares the container's network has to follow it when it starts. */
  started: Effect.Effect<void, SandboxError>
): Container => {
  const oneAtATime = Semaphore.makeUnsafe(1)
  let attached: { readonly keeper: Keeper.Keeper; readonly scope: Scope.Closeable } | undefined

  const detach = Effect.suspend(() => {
    const before = attached
    attached = undefined
    return before === undefined ? Effect.void : Scope.close(before.scope, Exit.void)
  })

  const attach = Effect.gen(function* () {
    yield* detach
    const scope = yield* Scope.make()
    const keeper = yield* Keeper.attach(engine, id).pipe(
      Scope.provide(scope),
      Effect.tapError(() => Scope.close(scope, Exit.void)),
      Effect.catchTag("EngineError", (error) => Effect.fail(fromEngine(error))),
      Effect.catchTag("KeeperSilent", (error) => Effect.fail(dockerError({ _tag: "Failed", detail: error.message })))
    )
    attached = { keeper, scope }
    return keeper
  })

  const restart = Effect.gen(function* () {
    yield* detach
    yield* Effect.mapError(restartContainer(engine, id), fromEngine)
    yield* started
    return yield* attach
  })

  const keeper = Effect.gen(function* () {
    if (attached !== undefined && !(yield* attached.keeper.isGone)) return attached.keeper
    const { State } = yield* Effect.mapError(inspectContainer(engine, id), fromEngine)
    if (!State.Running) {
      yield* Effect.mapError(startContainer(engine, id), fromEngine)
      yield* started
    }
    // A stopped or lying keeper answers nothing, and then only a new container does.
    return yield* Effect.catch(attach, () => restart)
  })

  const hasLeftovers = Effect.fnUntraced(function* (execPid: number | undefined) {
    const { State } = yield* inspectContainer(engine, id)
    const { Processes } = yield* processesOf(engine, id)
    const living = (Processes ?? [])
      .filter(([, , state]) => state !== "Z")
      .map(([pid, parent]) => ({ pid: Number(pid), parent: Number(parent) }))
    const underInit = living.filter(({ parent }) => parent === State.Pid).length
    return underInit > 1 || living.some(({ pid }) => pid === execPid)
  })

  return {
    id,
    keeper: oneAtATime.withPermit(keeper),
    restart: oneAtATime.withPermit(Effect.asVoid(restart)),
    hasEnded: inspectContainer(engine, id).pipe(
      Effect.map(({ State }) => (State.Running ? undefined : { outOfMemory: State.OOMKilled })),
      Effect.catch(() => Effect.succeed({ outOfMemory: false }))
    ),
    // An engine that can't list processes leaves us with what the keeper says.
    hasLeftovers: (execPid) => Effect.catch(hasLeftovers(execPid), () => Effect.succeed(false)),
    detach
  }
}
