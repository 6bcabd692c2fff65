import { Context, Effect, Layer, Schema } from "effect"
import { isAbsolute } from "node:path"
import { pathToFileURL } from "node:url"
import { bubblewrap } from "./Bubblewrap.ts"
import { sandboxClientBackend, type SandboxClientOptions } from "./client/SandboxClientBackend.ts"
import { local } from "./Local.ts"
import { none } from "./None.ts"
import { patientProbe } from "./patientProbe.ts"
import { type BackendProbe, Isolation, type SandboxBackend } from "./Sandbox.ts"

const Reason = Schema.TaggedUnion({
  Unknown: { name: Schema.String, known: Schema.Array(Schema.String) },
  Twice: { name: Schema.String },
  NotLoaded: { module: Schema.String, detail: Schema.String },
  NotABackend: { module: Schema.String, detail: Schema.String }
})

/** Why a backend cannot be had; the message says what to change. */
export class BackendsError extends Schema.TaggedError<BackendsError>()("BackendsError", {
  reason: Reason,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message(): string {
    return Reason.match(this.reason, {
      Unknown: ({ known, name }) => `There is no sandbox backend ${name}; this runner has ${known.join(", ")}`,
      Twice: ({ name }) => `Two sandbox backends are called ${name}: give the own one another name`,
      NotLoaded: ({ detail, module }) => `The sandbox backend ${module} could not be loaded: ${detail}`,
      NotABackend: ({ detail, module }) => `${module} exports no sandbox backend: ${detail}`
    })
  }
}

export interface Probed {
  readonly name: string
  readonly isolation: Isolation
  readonly probe: BackendProbe
}

/** The backends of this runner, by name. */
export class Backends extends Context.Service<
  Backends,
  {
    readonly all: ReadonlyArray<SandboxBackend>
    readonly get: (name: string) => Effect.Effect<SandboxBackend, BackendsError>
    /** Tries each of them for real, now; of one that takes too long, what was found last. */
    readonly probes: Effect.Effect<ReadonlyArray<Probed>>
    /** For an environment that names none: `bubblewrap` where it works, else `local`, which isolates nothing. */
    readonly best: Effect.Effect<SandboxBackend>
  }
>()("runner/Backends") {
  /** Those that come with the runner, and one for each module, a path or a package, that its owner names. */
  static readonly layer = (options: {
    readonly modules?: ReadonlyArray<string>
    readonly builtIn?: ReadonlyArray<SandboxBackend>
  }): Layer.Layer<Backends, BackendsError> => Layer.effect(Backends, make(options.modules ?? [], options.builtIn))
}

const make = Effect.fnUntraced(function* (
  modules: ReadonlyArray<string>,
  builtIn: ReadonlyArray<SandboxBackend> = [bubblewrap(), local(), none]
) {
  const own = yield* Effect.forEach(modules, loadBackend)
  const byName = new Map<string, SandboxBackend>()
  const tries = new Map<string, Effect.Effect<BackendProbe>>()
  for (const backend of [...builtIn, ...own]) {
    if (byName.has(backend.name)) {
      return yield* new BackendsError({ reason: { _tag: "Twice", name: backend.name } })
    }
    byName.set(backend.name, backend)
    tries.set(backend.name, yield* patientProbe(backend))
  }

  const get = (name: string) => {
    const found = byName.get(name)
    return found === undefined
      ? Effect.fail(new BackendsError({ reason: { _tag: "Unknown", name, known: [...byName.keys()] } }))
      : Effect.succeed(found)
  }

  const probes = Effect.forEach(
    [...byName.values()],
    ({ isolation, name }) => Effect.map(tries.get(name)!, (found) => ({ name, isolation, probe: found })),
    { concurrency: "unbounded" }
  ).pipe(Effect.withSpan("Backends.probes"))

  const best = Effect.gen(function* () {
    for (const name of ["bubblewrap", "local"]) {
      const backend = byName.get(name)
      if (backend !== undefined && (yield* tries.get(name)!).usable) return backend
    }
    return none
  }).pipe(Effect.withSpan("Backends.best"))

  return Backends.of({ all: [...byName.values()], get, probes, best })
})

/** Loads what a module exports as `sandboxClient`, as `backend`, or as its default. */
const loadBackend = Effect.fn("Backends.load")(function* (
  module: string
): Effect.fn.Return<SandboxBackend, BackendsError> {
  const loaded = yield* Effect.tryPromise({
    try: (): Promise<unknown> => import(isAbsolute(module) ? pathToFileURL(module).href : module),
    catch: (cause) =>
      new BackendsError({
        reason: { _tag: "NotLoaded", module, detail: cause instanceof Error ? cause.message : String(cause) },
        cause
      })
  })
  const { backend, default: byDefault, sandboxClient } = loaded as Readonly<Record<string, unknown>>
  const found = backend ?? byDefault
  const detail = sandboxClient === undefined ? lacking(found) : lackingClient(sandboxClient)
  if (detail !== undefined) return yield* new BackendsError({ reason: { _tag: "NotABackend", module, detail } })
  return sandboxClient === undefined
    ? (found as SandboxBackend)
    : sandboxClientBackend(sandboxClient as SandboxClientOptions)
})

const isIsolation = Schema.is(Isolation)

const badName = (name: unknown): string | undefined =>
  typeof name === "string" && /^[a-z][a-z0-9-]{0,63}$/.test(name)
    ? undefined
    : "its `name` has to begin with a small letter and be of small letters, digits and hyphens"

/** What is missing for it to be a backend; whether it keeps its promises is for the conformance suite to say. */
const lacking = (value: unknown): string | undefined => {
  if (typeof value !== "object" || value === null) return "neither `backend` nor the default export is an object"
  const { create, isolation, name, probe, resume } = value as Readonly<Record<string, unknown>>
  const bad = badName(name)
  if (bad !== undefined) return bad
  if (!isIsolation(isolation)) return "its `isolation` has to be namespaces, container, none or absent"
  if (!Effect.isEffect(probe)) return "its `probe` has to be an effect"
  if (typeof create !== "function") return "its `create` has to be a function"
  return typeof resume === "function" ? undefined : "its `resume` has to be a function"
}

/** What is missing for it to be a client of the OpenAI Agents SDK and what we have to know of it. */
const lackingClient = (value: unknown): string | undefined => {
  if (typeof value !== "object" || value === null) return "its `sandboxClient` is no object"
  const { client, isolation, manifest, name, network } = value as Readonly<Record<string, unknown>>
  const bad = badName(name)
  if (bad !== undefined) return bad
  if (!isIsolation(isolation) || isolation === "absent")
    return "its `isolation` has to be namespaces, container or none"
  if (typeof client !== "object" || client === null) return "its `client` has to be a SandboxClient"
  if (manifest !== undefined && typeof manifest !== "function") return "its `manifest` has to be a function"
  if (network !== undefined && typeof network !== "boolean") return "its `network` has to be true or false"
  return network === true && isolation !== "none" && manifest === undefined
    ? "a client without a `manifest` is elsewhere, and reaches no egress proxy of this host: `network` can't be true"
    : undefined
}
