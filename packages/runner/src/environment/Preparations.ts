import { type EnvironmentConfig, packageManagers } from "@troupe/domain/environment/EnvironmentConfig"
import { Clock, Context, Effect, Layer, type Scope } from "effect"
import { createHash } from "node:crypto"
import { chmodSync, existsSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { canonical } from "@troupe/domain/CanonicalJson"
import { EgressProxy } from "../egress/EgressProxy.ts"
import { errorText, writeWhole } from "../journal/files.ts"
import type { Mount, SandboxBackend } from "../sandbox/Sandbox.ts"
import { SandboxHome } from "../sandbox/SandboxHome.ts"
import { newSandboxId, newSessionId } from "../sandbox/trial.ts"
import { KeyedLock } from "../tools/KeyedLock.ts"
import { ManagerSettings } from "./ManagerSettings.ts"
import { joinOffers } from "./offers.ts"
import { handOver, takeBack } from "./ownership.ts"
import { isLasting, PreparationFailed } from "./PreparationFailed.ts"
import { preparationKey, hostFacts } from "./preparationKey.ts"
import { lock } from "./PreparationLock.ts"
import { environmentTarget, mountOf } from "./PreparationSandbox.ts"
import { type PreparationRecord, PreparationStore, type StoreLimits } from "./PreparationStore.ts"
import { offersOf, prepareDirectory } from "./prepareDirectory.ts"
import type { Hook } from "./profiles/Profile.ts"
import { Profiles } from "./profiles/Profiles.ts"
import { refusalOf } from "./refusalOf.ts"
import { type OnLine, unusable } from "./runStep.ts"

/** What a session's sandbox gets of its environment. */
export interface Prepared {
  readonly mounts: ReadonlyArray<Mount>
  /** PATH among them, whole. */
  readonly variables: Readonly<Record<string, string>>
  /** What the sandbox is made of, where its backend runs images. */
  readonly image: string | null
  readonly hooks: ReadonlyArray<Hook>
}

export interface PreparationsOptions {
  /** Of the runner's, where other accounts may pass through if it is root. */
  readonly directory: string
  /** Where sockets can be: short enough for the kernel. */
  readonly sockets: string
  readonly limits?: StoreLimits
  /** How long a failure is answered without trying again. */
  readonly failuresKeptMs?: number
}

const defaultLimits: StoreLimits = { bytesMax: 20 * 1_073_741_824, idleMsMax: 30 * 86_400_000 }
const failuresKeptMs = 60_000
const profileTarget = "/opt/profile"
const silent: OnLine = () => Effect.void

/** Prepares what environments say about packages, setup and profile: once for the same content, on this host. */
export class Preparations extends Context.Service<
  Preparations,
  {
    /** Holds what was prepared until the scope closes. `onLine` hears what is done meanwhile, whoever began it. */
    readonly prepare: (
      config: EnvironmentConfig,
      backend: SandboxBackend,
      onLine?: OnLine
    ) => Effect.Effect<Prepared, PreparationFailed, Scope.Scope>
    /** Removes what nobody has used for long, and what is too much. Answers how many. */
    readonly collect: Effect.Effect<number, PreparationFailed>
  }
>()("runner/environment/Preparations") {
  static readonly layer = (options: PreparationsOptions) => Layer.effect(Preparations, make(options))
}

const make = Effect.fnUntraced(function* (options: PreparationsOptions) {
  const egress = yield* EgressProxy
  const homes = yield* SandboxHome
  const settings = yield* ManagerSettings
  const profiles = yield* Profiles
  const store = yield* PreparationStore.open(options.directory)
  const host = hostFacts()
  const inProcess = new KeyedLock()
  const listeners = new Map<string, Set<OnLine>>()
  const failures = new Map<string, { readonly failure: PreparationFailed; readonly untilMs: number }>()

  const tell =
    (key: string): OnLine =>
    (line) =>
      Effect.forEach([...(listeners.get(key) ?? [])], (listener) => listener(line), { discard: true })

  const listen = (key: string, onLine: OnLine) =>
    Effect.acquireRelease(
      Effect.sync(() => listeners.set(key, (listeners.get(key) ?? new Set()).add(onLine))),
      () =>
        Effect.sync(() => {
          const left = listeners.get(key)
          left?.delete(onLine)
          if (left?.size === 0) listeners.delete(key)
        })
    )

  const build = Effect.fnUntraced(function* (key: string, config: EnvironmentConfig, backend: SandboxBackend) {
    const root = store.root(key)
    yield* store.begin(key)
    const sandboxId = newSandboxId()
    const home = yield* Effect.acquireRelease(
      homes.open(sandboxId).pipe(Effect.mapError(unusable("environment"))),
      () => Effect.ignore(homes.remove(sandboxId))
    )
    yield* handOver(root, home.account)
    const onLine = tell(key)
    const { sockets } = options
    const sessionId = newSessionId()
    yield* prepareDirectory({ backend, config, egress, home, root, sandboxId, sessionId, sockets, onLine }, settings)
    yield* takeBack(root, home.account)
    return yield* store.finish(key, null, yield* Clock.currentTimeMillis)
  }, Effect.scoped)

  const remember = (key: string) => (failure: PreparationFailed) =>
    Effect.map(Clock.currentTimeMillis, (nowMs) => {
      if (!isLasting(failure)) return
      failures.set(key, { failure, untilMs: nowMs + (options.failuresKeptMs ?? failuresKeptMs) })
    })

  const findOrBuild = Effect.fnUntraced(function* (key: string, config: EnvironmentConfig, backend: SandboxBackend) {
    yield* lock(store.lockFile(key), "prepare")
    const nowMs = yield* Clock.currentTimeMillis
    const failed = failures.get(key)
    if (failed !== undefined && nowMs < failed.untilMs) return yield* failed.failure
    failures.delete(key)
    const found = yield* store.find(key, nowMs)
    if (found !== undefined) return found
    const built = yield* Effect.tapError(build(key, config, backend), remember(key))
    yield* Effect.ignore(collect)
    return built
  }, Effect.scoped)

  const collect = Effect.gen(function* () {
    const removed = yield* store.collect(options.limits ?? defaultLimits, yield* Clock.currentTimeMillis)
    return removed.length
  }).pipe(Effect.withSpan("Preparations.collect"))

  const environment = Effect.fnUntraced(function* (
    config: EnvironmentConfig,
    backend: SandboxBackend,
    onLine: OnLine
  ): Effect.fn.Return<PreparationRecord, PreparationFailed, Scope.Scope> {
    const key = preparationKey(config, backend, host)
    yield* lock(store.lockFile(key), "use")
    const found = yield* store.find(key, yield* Clock.currentTimeMillis)
    if (found !== undefined) return found
    return yield* Effect.scoped(
      Effect.andThen(listen(key, onLine), inProcess.withLock(key)(findOrBuild(key, config, backend)))
    )
  })

  /** The files of a profile, in a directory that is named after what is in them. */
  const place = (files: Readonly<Record<string, string>>) =>
    Effect.try({
      try: () => {
        const digest = createHash("sha256").update(canonical(files)).digest("hex").slice(0, 32)
        const directory = join(options.directory, `profile-${digest}`)
        mkdirSync(directory, { recursive: true, mode: 0o755 })
        for (const [name, content] of Object.entries(files)) {
          if (existsSync(join(directory, name))) continue
          writeWhole(join(directory, name), content)
          chmodSync(join(directory, name), 0o644)
        }
        return directory
      },
      catch: (cause) =>
        new PreparationFailed({ step: "profile", reason: { _tag: "Storage", detail: errorText(cause) }, cause })
    })

  const profileOf = Effect.fnUntraced(function* (config: EnvironmentConfig, backend: SandboxBackend) {
    const { options: given, profile: name } = config.preparation
    const refused = ({ message }: { readonly message: string }) =>
      new PreparationFailed({ step: "profile", reason: { _tag: "Refused", detail: message } })
    const profile = yield* profiles.get(name).pipe(Effect.mapError(refused))
    const parts = yield* profile.prepare(given, profileTarget).pipe(Effect.mapError(refused))
    if (Object.keys(parts.files).length === 0) return { ...parts, mounts: [] }
    const source = yield* place(parts.files)
    if (backend.isolation !== "none") {
      return { ...parts, mounts: [{ source, target: profileTarget, readOnly: true }] }
    }
    // Nothing is mounted where nothing isolates: there, the files are where the host has them.
    return { ...(yield* profile.prepare(given, source).pipe(Effect.mapError(refused))), mounts: [] }
  })

  const prepare = Effect.fn("Preparations.prepare")(function* (
    config: EnvironmentConfig,
    backend: SandboxBackend,
    onLine: OnLine = silent
  ): Effect.fn.Return<Prepared, PreparationFailed, Scope.Scope> {
    const refusal = refusalOf(config, backend)
    if (refusal !== undefined) return yield* refusal
    const profile = yield* profileOf(config, backend)
    const isPlain = config.setup === null && packageManagers.every((name) => config.packages[name].length === 0)
    if (isPlain) {
      return { mounts: profile.mounts, variables: profile.variables, image: config.image, hooks: profile.hooks }
    }
    const { key } = yield* environment(config, backend, onLine)
    const root = store.root(key)
    const isIsolated = backend.isolation !== "none"
    return {
      mounts: [...profile.mounts, ...(isIsolated ? [mountOf(root)] : [])],
      variables: {
        ...joinOffers(offersOf(config.packages, isIsolated ? environmentTarget : root)),
        ...profile.variables
      },
      image: config.image,
      hooks: profile.hooks
    }
  })

  return Preparations.of({ prepare, collect })
})
