import { variables } from "@troupe/domain/Variables"
import { Effect, Semaphore } from "effect"
import { existsSync, lstatSync } from "node:fs"
import { type Account, ownAccount } from "../Account.ts"
import type { BackendProbe, SandboxBackend, SandboxError, SandboxSpec } from "../Sandbox.ts"
import { attempt } from "../SandboxFailure.ts"
import { accountOf } from "../SandboxHome.ts"
import * as Container from "./Container.ts"
import { label, sandboxContainer, userOf } from "./ContainerConfig.ts"
import { backendName, dockerError, fromEngine } from "./dockerError.ts"
import * as DockerSandbox from "./DockerSandbox.ts"
import { createContainer, info, inspectImage, listContainers, removeContainer, startContainer } from "./Engine.ts"
import { connect, type EngineApi } from "./EngineApi.ts"
import { EngineError, isStatus } from "./EngineError.ts"
import { followNetwork, makeRelay } from "./Relay.ts"
import { tryBackend } from "../trial.ts"
import { unusable } from "../unusable.ts"

export interface DockerOptions {
  readonly socketPath: string
  /** Which runner this is, on this engine: its containers carry it, and it collects no others. */
  readonly owner: string
  /** For environments that name none; also the image of every relay. */
  readonly image: string
  /** As the engine knows it, `runsc` say; null for its default. */
  readonly runtime: string | null
}

export const defaults = {
  socketPath: variables.TROUPE_DOCKER_SOCKET.usual,
  image: variables.TROUPE_DOCKER_IMAGE.usual,
  runtime: null
} as const

export interface DockerBackend extends SandboxBackend {
  /** Removes what runners of this owner left: containers of sandboxes whose home is gone from this host. */
  readonly collect: Effect.Effect<ReadonlyArray<string>, SandboxError>
  readonly engine: Effect.Effect<EngineApi, SandboxError>
}

/**
 * gVisor is a kernel of its own to each container: its network can't be shared with a relay, its terminals were found not
 * to work, and no process can be the one that orphans go to.
 */
const isGvisor = (runtime: string | null) => runtime !== null && runtime.startsWith("runsc")

export const make = (options: DockerOptions): DockerBackend => {
  const engine = connection(options.socketPath)
  const accountIn = (home: string) => attempt(backendName, "the sandbox's home", () => accountOf(home))

  const open = Effect.fnUntraced(function* (api: EngineApi, spec: SandboxSpec, id: string, relay: string | undefined) {
    const account = yield* accountIn(spec.home)
    const container = Container.make(api, id, relay === undefined ? Effect.void : followNetwork(api, relay))
    const sandbox = yield* DockerSandbox.make(api, spec, container, {
      owner: options.owner,
      user: userOf({ account }),
      subreaper: !isGvisor(options.runtime)
    })
    return { container, sandbox }
  })

  const create = Effect.fn("DockerBackend.create")(function* (spec: SandboxSpec) {
    const api = yield* engine
    if (spec.network._tag === "Proxied" && isGvisor(options.runtime)) {
      const detail = `with the runtime ${options.runtime} there is no way to the egress proxy`
      return yield* Effect.fail(dockerError({ _tag: "Unusable", detail }))
    }
    const made = Effect.gen(function* () {
      const config = sandboxContainer(spec, {
        ...options,
        image: spec.image ?? options.image,
        account: yield* accountIn(spec.home)
      })
      const { Id: id } = yield* Effect.mapError(createContainer(api, config), fromEngine)
      yield* Effect.mapError(startContainer(api, id), fromEngine)
      const relay =
        spec.network._tag === "None"
          ? undefined
          : yield* makeRelay(api, spec, {
              ...options,
              account: ownerOf(spec.network.socket),
              socket: spec.network.socket,
              container: id
            })
      const { container, sandbox } = yield* open(api, spec, id, relay)
      yield* container.keeper
      return sandbox
    })
    const abandoned = DockerSandbox.removeAll(api, { owner: options.owner, sandbox: spec.sandboxId })
    return yield* Effect.onError(made, () => abandoned)
  })

  const resume = Effect.fn("DockerBackend.resume")(function* (spec: SandboxSpec) {
    const api = yield* engine
    const found = yield* Effect.mapError(
      listContainers(api, { owner: options.owner, sandbox: spec.sandboxId }),
      fromEngine
    )
    const withRole = (role: string) => found.find(({ Labels }) => Labels[label.role] === role)?.Id
    const [id, relay] = [withRole("sandbox"), withRole("relay")]
    if (id === undefined || (relay === undefined) !== (spec.network._tag === "None")) {
      return yield* Effect.fail(dockerError({ _tag: "Gone", detail: `no container is left of ${spec.sandboxId}` }))
    }
    const { container, sandbox } = yield* open(api, spec, id, relay)
    const keeper = yield* container.keeper
    yield* Effect.catch(keeper.reset, () => container.restart)
    if (yield* container.hasLeftovers(undefined)) yield* container.restart
    return sandbox
  })

  const collect = Effect.gen(function* () {
    const api = yield* engine
    const all = yield* Effect.mapError(listContainers(api, { owner: options.owner }), fromEngine)
    const orphans = all.filter(({ Labels }) => !existsSync(Labels[label.home] ?? ""))
    for (const { Id } of orphans) {
      yield* Effect.catchIf(removeContainer(api, Id), isStatus(404, 409), () => Effect.void).pipe(
        Effect.mapError(fromEngine)
      )
    }
    return orphans.map(({ Id }) => Id)
  }).pipe(Effect.withSpan("DockerBackend.collect"))

  return {
    name: backendName,
    isolation: "container",
    probe: Effect.withSpan(probe(engine, options, create), "DockerBackend.probe"),
    create,
    resume,
    collect,
    engine
  }
}

/** Nobody else may connect there, root without its rights neither. Before there is a socket, it is going to be ours. */
const ownerOf = (socket: string): Account => {
  const found = lstatSync(socket, { throwIfNoEntry: false })
  return found === undefined
    ? ownAccount()
    : { uid: found.uid, gid: found.gid, switched: found.uid !== ownAccount().uid }
}

/** Connects when it is first needed, and again after that failed. */
const connection = (socketPath: string): Effect.Effect<EngineApi, SandboxError> => {
  const oneAtATime = Semaphore.makeUnsafe(1)
  let known: EngineApi | undefined
  return Effect.gen(function* () {
    return (known ??= yield* connect(socketPath))
  }).pipe(oneAtATime.withPermit, Effect.mapError(fromEngine))
}

const probe = (
  engine: Effect.Effect<EngineApi, SandboxError>,
  options: DockerOptions,
  create: SandboxBackend["create"]
): Effect.Effect<BackendProbe> =>
  Effect.gen(function* () {
    const api = yield* engine
    const about = yield* info(api)
    const notes: Array<string> = []
    if (options.runtime !== null && !(options.runtime in about.Runtimes)) {
      notes.push(
        `the engine knows no runtime ${options.runtime}, only ${Object.keys(about.Runtimes).sort().join(", ")}`
      )
    }
    const hasImage = yield* Effect.matchEffect(inspectImage(api, options.image), {
      onFailure: (error) => (isStatus(404)(error) ? Effect.succeed(false) : Effect.fail(error)),
      onSuccess: () => Effect.succeed(true)
    })
    if (!hasImage) notes.push(`the image ${options.image} is missing: docker/build-base.sh builds it`)
    if (about.InitBinary === "") notes.push("the engine has no init (docker-init)")
    if (notes.length === 0) {
      // An engine that answers may still see other files than we do, be full, or lack what a runtime needs.
      const tried = yield* Effect.result(tryBackend({ create }))
      const ending = tried._tag === "Success" ? tried.success : undefined
      if (tried._tag === "Failure") notes.push(`no container could be made for a trial: ${tried.failure.message}`)
      else if (ending?._tag !== "Exited" || ending.code !== 0) {
        notes.push(`a trial run of \`true\` ended with ${JSON.stringify(ending)}`)
      }
    }
    const usable = notes.length === 0
    const native = !isGvisor(options.runtime)
    if (!native) notes.push(`with the runtime ${options.runtime} sandboxes have no network and no terminals`)
    const cgroup = `cgroup v${about.CgroupVersion ?? "1"}`
    const limits = {
      cpus: about.CpuCfsQuota ? cgroup : null,
      memory: about.MemoryLimit ? cgroup : null,
      disk: "polling",
      processes: about.PidsLimit ? cgroup : null
    }
    for (const [name, by] of Object.entries(limits)) {
      if (by === null) notes.push(`the engine can't limit ${name} on this host`)
    }
    return {
      usable,
      notes,
      version: `${about.ServerVersion} (API ${api.version})`,
      terminal: native,
      network: native,
      limits
    }
  }).pipe(Effect.catch((error: EngineError | SandboxError) => Effect.succeed(unusable(error.message))))
