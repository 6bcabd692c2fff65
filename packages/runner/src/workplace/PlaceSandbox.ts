import type { EnvironmentConfig } from "@troupe/domain/environment/EnvironmentConfig"
import { Effect, Exit, Redacted, Scope, Semaphore } from "effect"
import type { PreparationFailed } from "../environment/PreparationFailed.ts"
import type { Prepared, Preparations } from "../environment/Preparations.ts"
import { type HookFailed, SecretMissing } from "../environment/profiles/Profile.ts"
import type { OnLine } from "../environment/runStep.ts"
import type { Sandbox, SandboxBackend, SandboxError, SandboxSpec } from "../sandbox/Sandbox.ts"
import { failure } from "../sandbox/SandboxFailure.ts"
import type { PlaceRecord, PlaceUnwritable } from "./PlaceRecord.ts"

/** Who makes a place ready: what it takes for that is theirs. */
export interface Readying {
  /** A secret of the session, as it is now; null where it has none of that name. */
  readonly secret: (name: string) => Effect.Effect<string | null>
  /** Hears what is done while they wait. */
  readonly onLine: OnLine
}

/** The sandbox of a place: of a prepared environment, made or found again when something first needs it. */
export interface PlaceSandbox {
  readonly now: Effect.Effect<Sandbox, SandboxError>
  /** Prepares the environment, and runs what its profile has for a sandbox that is fresh, or was taken up again. */
  readonly ready: (by: Readying) => Effect.Effect<void, PreparationFailed | HookFailed | SandboxError>
  /** Does one thing in a sandbox with these mounts, which ends with it. The place's own is made, and made ready, afterwards. */
  readonly before: <A, E>(
    mounts: SandboxSpec["mounts"],
    use: (sandbox: Sandbox) => Effect.Effect<A, E>
  ) => Effect.Effect<A, E | PreparationFailed | SandboxError>
  /** Ends what runs, and takes away what the backend keeps beside the place's directories. */
  readonly unmake: Effect.Effect<void>
}

export interface PlaceSandboxOptions {
  readonly backend: SandboxBackend
  /** As it was saved: what policies take from agents, they do not take from the environment's own preparation. */
  readonly config: EnvironmentConfig
  readonly preparations: Preparations["Service"]
  readonly specOf: (prepared: Prepared) => SandboxSpec
  readonly record: () => PlaceRecord
  readonly change: (change: Partial<PlaceRecord>) => Effect.Effect<void, PlaceUnwritable>
  /** Called once, when the sandbox is made. */
  readonly made: () => Effect.Effect<void>
}

const nothing: Prepared = { mounts: [], variables: {}, image: null, hooks: [] }
const silent: OnLine = () => Effect.void

export const make = Effect.fnUntraced(function* (
  options: PlaceSandboxOptions
): Effect.fn.Return<PlaceSandbox, never, Scope.Scope> {
  const { backend, config, preparations, record, specOf } = options
  const life = yield* Effect.scope
  const preparing = Semaphore.makeUnsafe(1)
  const making = Semaphore.makeUnsafe(1)
  const readying = Semaphore.makeUnsafe(1)
  let prepared: Prepared | null = null
  let live: Sandbox | null = null
  let isOpened = false
  let secretOf: Readying["secret"] = () => Effect.succeed(null)

  const change = (to: Partial<PlaceRecord>) =>
    Effect.mapError(options.change(to), ({ message }) => failure(backend.name)({ _tag: "Failed", detail: message }))

  const prepare = (onLine: OnLine) =>
    preparing.withPermits(1)(
      Effect.gen(function* () {
        if (prepared !== null) return prepared
        const held = yield* Scope.fork(life)
        prepared = yield* preparations.prepare(config, backend, onLine).pipe(
          Scope.provide(held),
          Effect.onError(() => Scope.close(held, Exit.void))
        )
        return prepared
      })
    )

  /** One that nobody would find again is not kept. */
  const create = (spec: SandboxSpec) =>
    Effect.tap(backend.create(spec), (sandbox) =>
      Effect.onError(change({ made: true, hooked: false }), () => sandbox.destroy)
    )

  const start = Effect.fnUntraced(function* (spec: SandboxSpec) {
    if (live !== null) return live
    if (record().made) {
      live = yield* backend.resume(spec).pipe(
        // What it kept beside the directories is gone; they are what matters.
        Effect.catchIf(
          (error) => error.reason._tag === "Gone",
          () => create(spec)
        )
      )
      return live
    }
    live = yield* create(spec)
    yield* options.made()
    return live
  })

  const now = Effect.gen(function* () {
    const spec = specOf(
      yield* Effect.mapError(prepare(silent), ({ message }) =>
        failure(backend.name)({ _tag: "Unusable", detail: message })
      )
    )
    return yield* making.withPermits(1)(Effect.uninterruptible(start(spec)))
  })

  /** Of whoever came last: hooks hold it for as long as the sandbox lives. */
  const secret = (name: string) =>
    Effect.flatMap(
      Effect.suspend(() => secretOf(name)),
      (found) => (found === null ? Effect.fail(new SecretMissing({ name })) : Effect.succeed(Redacted.make(found)))
    )

  const ready: PlaceSandbox["ready"] = Effect.fn("PlaceSandbox.ready")(function* (by) {
    secretOf = by.secret
    const { hooks } = yield* prepare(by.onLine)
    if (hooks.length === 0) return
    const sandbox = yield* now
    const isFresh = record().hooked !== true
    if (!isFresh && isOpened) return
    for (const hook of hooks) {
      if (isFresh || hook.when === "opened") yield* Scope.provide(hook.run({ sandbox, secret }), life)
    }
    isOpened = true
    yield* change({ hooked: true })
  }, readying.withPermits(1))

  const before: PlaceSandbox["before"] = Effect.fnUntraced(function* (mounts, use) {
    const spec = { ...specOf(yield* prepare(silent)), mounts }
    yield* unmake
    yield* change({ made: false, hooked: false })
    isOpened = false
    return yield* making.withPermits(1)(
      Effect.acquireUseRelease(backend.create(spec), use, (sandbox) => sandbox.destroy)
    )
  })

  /** To end a sandbox takes nothing of what was prepared for it. */
  const unmake = making.withPermits(1)(
    Effect.gen(function* () {
      if (!record().made) return
      const found = live === null ? yield* Effect.option(backend.resume(specOf(nothing))) : null
      const sandbox = live ?? (found?._tag === "Some" ? found.value : null)
      live = null
      if (sandbox !== null) yield* sandbox.destroy
    }).pipe(Effect.uninterruptible)
  )

  return { now, ready, before, unmake }
})
