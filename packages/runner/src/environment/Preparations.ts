import { type EnvironmentConfig, packageManagers, sizeOf } from "@troupe/domain/environment/EnvironmentConfig"
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
import type { Images } from "./image/Images.ts"
import { hostFacts, imageKey, preparationKey } from "./preparationKey.ts"
import { lock } from "./PreparationLock.ts"
import { environmentTarget, mountOf, openSandbox, type PreparationSandbox } from "./PreparationSandbox.ts"
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
  /** Makes images of Dockerfiles; without it, such environments are refused. */
  readonly images?: Images
  readonly limits?: StoreLimits
  /** How long a failure is answered without trying again. */
  readonly failuresKeptMs?: number
}

/** What is wanted under a key: how it is found, and how it is made. */
interface Wanted {
  readonly key: string
  readonly find: Effect.Effect<PreparationRecord | undefined, PreparationFailed>
  readonly build: Effect.Effect<PreparationRecord, PreparationFailed>
}

const imageName = (key: string) => `troupe-environment:${key.slice(0, 32)}`

const defaultLimits: StoreLimits = { bytesMax: 20 * 1_073_741_824, idleMsMax: 30 * 86_400_000 }
const failuresKeptMs = 60_000
const profileTarget = "/opt/profile"
const silent: OnLine = () => Effect.void

/** Prepares what environments say about image, packages, setup and profile: once for the same content, on this host. */
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

  /** Where the steps of one preparation happen. */
  const place = Effect.fnUntraced(function* (
    key: string,
    config: EnvironmentConfig,
    backend: SandboxBackend
  ): Effect.fn.Return<PreparationSandbox, PreparationFailed, Scope.Scope> {
    const root = store.root(key)
    yield* store.begin(key)
    const sandboxId = newSandboxId()
    const home = yield* Effect.acquireRelease(
      homes.open(sandboxId).pipe(Effect.mapError(unusable("environment"))),
      () => Effect.ignore(homes.remove(sandboxId))
    )
    yield* handOver(root, home.account)
    const { sockets } = options
    return { backend, config, egress, home, root, sandboxId, sessionId: newSessionId(), sockets, onLine: tell(key) }
  })

  const build = Effect.fnUntraced(function* (key: string, config: EnvironmentConfig, backend: SandboxBackend) {
    const preparation = yield* place(key, config, backend)
    yield* prepareDirectory(preparation, settings)
    yield* takeBack(preparation.root, preparation.home.account)
    return yield* store.finish(key, null, yield* Clock.currentTimeMillis)
  }, Effect.scoped)

  /** The commands of a Dockerfile have the environment's network, as a sandbox that does nothing else lends it to them. */
  const buildImage = Effect.fnUntraced(function* (
    key: string,
    dockerfile: string,
    images: Images,
    { backend, config }: { readonly backend: SandboxBackend; readonly config: EnvironmentConfig }
  ) {
    const preparation = yield* place(key, { ...config, image: null, dockerfile: null }, backend)
    const { onLine } = preparation
    yield* onLine("Building the image")
    const sandbox = { step: "dockerfile", policy: config.network, mounts: [], variables: {} }
    const within = config.network.type === "none" ? null : yield* openSandbox(preparation, sandbox)
    const name = imageName(key)
    const bytes = yield* images.build({ name, dockerfile, size: sizeOf(config), within, onLine })
    return yield* store.finish(key, { name, bytes }, yield* Clock.currentTimeMillis)
  }, Effect.scoped)

  const remember = (key: string) => (failure: PreparationFailed) =>
    Effect.map(Clock.currentTimeMillis, (nowMs) => {
      if (!isLasting(failure)) return
      failures.set(key, { failure, untilMs: nowMs + (options.failuresKeptMs ?? failuresKeptMs) })
    })

  const collect = Effect.gen(function* () {
    const removed = yield* store.collect(options.limits ?? defaultLimits, yield* Clock.currentTimeMillis)
    for (const { image } of removed) if (image !== null) yield* options.images?.remove(image) ?? Effect.void
    return removed.length
  }).pipe(Effect.withSpan("Preparations.collect"))

  const findOrBuild = Effect.fnUntraced(function* ({ build, find, key }: Wanted) {
    yield* lock(store.lockFile(key), "prepare")
    const failed = failures.get(key)
    if (failed !== undefined && (yield* Clock.currentTimeMillis) < failed.untilMs) return yield* failed.failure
    failures.delete(key)
    const found = yield* find
    if (found !== undefined) return found
    const built = yield* Effect.tapError(build, remember(key))
    yield* Effect.ignore(collect)
    return built
  }, Effect.scoped)

  /** What there is under a key, made if there is nothing; in use until the scope closes. */
  const held = Effect.fnUntraced(function* (
    wanted: Wanted,
    onLine: OnLine
  ): Effect.fn.Return<PreparationRecord, PreparationFailed, Scope.Scope> {
    const { find, key } = wanted
    yield* lock(store.lockFile(key), "use")
    const found = yield* find
    if (found !== undefined) return found
    return yield* Effect.scoped(Effect.andThen(listen(key, onLine), inProcess.withLock(key)(findOrBuild(wanted))))
  })

  const record = (key: string) => Effect.flatMap(Clock.currentTimeMillis, (nowMs) => store.find(key, nowMs))

  const environment = (config: EnvironmentConfig, backend: SandboxBackend, onLine: OnLine) => {
    const key = preparationKey(config, backend, host)
    return held({ key, find: record(key), build: build(key, config, backend) }, onLine)
  }

  /** The same environment, of the image that its Dockerfile makes. */
  const withImage = Effect.fnUntraced(function* (config: EnvironmentConfig, backend: SandboxBackend, onLine: OnLine) {
    const { dockerfile } = config
    const { images } = options
    if (dockerfile === null || images === undefined) return config
    const key = imageKey(config, yield* images.bases(dockerfile))
    // Others may remove images from the engine, and we hear nothing of it.
    const find = Effect.flatMap(record(key), (found) =>
      found === undefined
        ? Effect.succeed(found)
        : Effect.map(images.has(imageName(key)), (isThere) => (isThere ? found : undefined))
    )
    const { image } = yield* held(
      { key, find, build: buildImage(key, dockerfile, images, { backend, config }) },
      onLine
    )
    return { ...config, image, dockerfile: null }
  })

  /** The files of a profile, in a directory that is named after what is in them. */
  const placed = (files: Readonly<Record<string, string>>) =>
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
    const source = yield* placed(parts.files)
    if (backend.isolation !== "none") {
      return { ...parts, mounts: [{ source, target: profileTarget, readOnly: true }] }
    }
    // Nothing is mounted where nothing isolates: there, the files are where the host has them.
    return { ...(yield* profile.prepare(given, source).pipe(Effect.mapError(refused))), mounts: [] }
  })

  const prepare = Effect.fn("Preparations.prepare")(function* (
    given: EnvironmentConfig,
    backend: SandboxBackend,
    onLine: OnLine = silent
  ): Effect.fn.Return<Prepared, PreparationFailed, Scope.Scope> {
    const refusal = refusalOf(given, backend, options.images !== undefined)
    if (refusal !== undefined) return yield* refusal
    const profile = yield* profileOf(given, backend)
    const config = yield* withImage(given, backend, onLine)
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
