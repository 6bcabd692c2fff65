import type { Capability } from "@troupe/domain/runner/Hello"
import { Effect, Layer } from "effect"
import { createHash } from "node:crypto"
import { existsSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { type AddressRules, addressRules } from "@troupe/domain/network/AddressRules"
import * as EgressProxy from "./egress/EgressProxy.ts"
import { CredentialInjector } from "./egress/CredentialInjector.ts"
import { Outbound } from "./egress/Outbound.ts"
import { OwnServices } from "./egress/OwnServices.ts"
import { Resolver } from "./egress/Resolver.ts"
import { SafeFetch } from "./egress/SafeFetch.ts"
import { TrustStore } from "./egress/TrustStore.ts"
import { type Images, makeImages } from "./environment/image/Images.ts"
import { ManagerSettings } from "./environment/ManagerSettings.ts"
import { Preparations } from "./environment/Preparations.ts"
import { Profiles } from "./environment/profiles/Profiles.ts"
import type { Harness, HarnessRun } from "./harness/Harness.ts"
import { Harnesses } from "./harness/Harnesses.ts"
import * as OpenAiAgents from "./harness/openai-agents/OpenAiAgents.ts"
import { shellHarness } from "./harness/shell/ShellHarness.ts"
import { Identity } from "./link/Identity.ts"
import { Capabilities } from "./link/Capabilities.ts"
import { McpSessions } from "./mcp/McpSessions.ts"
import { probeMcpServer } from "./mcp/probeMcpServer.ts"
import { mintEventId, mintModelRequestId } from "./mint.ts"
import { Models } from "./models/Models.ts"
import type { RunnerConfig } from "./RunnerConfig.ts"
import { Backends, type Probed } from "./sandbox/Backends.ts"
import { bubblewrap } from "./sandbox/Bubblewrap.ts"
import * as DockerBackend from "./sandbox/docker/DockerBackend.ts"
import { local } from "./sandbox/Local.ts"
import { none } from "./sandbox/None.ts"
import { SandboxHome } from "./sandbox/SandboxHome.ts"
import { tavily } from "./tools/web/Tavily.ts"
import { HostDirectories } from "./workingcopy/HostDirectories.ts"
import { readHostSecrets } from "./secrets/hostSecrets.ts"
import * as AttemptToolsLive from "./workplace/AttemptToolsLive.ts"
import { Places } from "./workplace/Places.ts"
import { socketDirectory } from "./workplace/socketDirectory.ts"
import * as WorkplaceHostLive from "./workplace/WorkplaceHostLive.ts"

const placeIdleMs = 15 * 60_000

const isOpenTo = (path: string): boolean =>
  (statSync(path).mode & 0o001) !== 0 && (dirname(path) === path || isOpenTo(dirname(path)))

const firstThere = (path: string): string => (existsSync(path) ? path : firstThere(dirname(path)))

/**
 * Where sandboxes live and what was prepared for them: below the runner's state, unless that is in a directory which keeps
 * other accounts out, as root's own home is. Where the runner is root, sandboxes run as other accounts, so theirs are where
 * services keep their data.
 */
const directoriesOf = (state: string) => {
  if (process.getuid?.() !== 0 || isOpenTo(firstThere(state))) {
    return { sandboxes: join(state, "sandboxes"), environments: join(state, "environments") }
  }
  const sandboxes = join("/var/lib/troupe", createHash("sha256").update(state).digest("hex").slice(0, 12))
  return { sandboxes, environments: `${sandboxes}-environments` }
}

/** What is known before a node says more. */
const rulesOf = ({ alsoAllowed, servers }: RunnerConfig) =>
  addressRules({
    alsoAllowed,
    ours: servers.map((server) => {
      const { hostname, port, protocol } = new URL(server)
      return `${hostname}:${port === "" ? (protocol === "https:" ? 443 : 80) : port}`
    })
  })

const openAiAgents = Effect.map(Models, ({ choose }) =>
  OpenAiAgents.make({
    choose: (name: string, { request, secret }: HarnessRun) => choose(name, secret, request.prices)
  })
)

/** Commands run wherever anything runs. */
const shell = Effect.map(Backends, ({ probes }): Harness => {
  const probe = Effect.map(probes, (found) => {
    const usable = found.some(({ isolation, probe }) => probe.usable && isolation !== "absent")
    return { version: "1", usable, notes: usable ? [] : ["no sandbox backend of this host can run anything"] }
  })
  return shellHarness({ probe, mintBlockId: mintEventId, mintRequestId: mintModelRequestId })
})

const harnesses = Layer.effect(
  Harnesses,
  Effect.map(Effect.all([openAiAgents, shell]), (all) => Harnesses.of({ all }))
)

const sandboxCapability = ({ isolation, name, probe }: Probed): Capability => {
  const { limits, network, notes, terminal, unfinished = false, usable, version } = probe
  const details = { isolation, limits, network, terminal, ...(unfinished ? { unfinished } : {}) }
  return { name, version, usable, notes, details }
}

const capabilities = (config: RunnerConfig) =>
  Layer.effect(
    Capabilities,
    Effect.gen(function* () {
      const { all } = yield* Harnesses
      const backends = yield* Backends
      const models = yield* Models
      const profiles = yield* Profiles
      const harnesses = Effect.forEach(
        all,
        ({ capabilities, name, probe }) =>
          Effect.map(probe, (probed) => ({ name, ...probed, details: { capabilities: [...capabilities] } })),
        { concurrency: "unbounded" }
      )
      const probe = Effect.all(
        {
          harnesses,
          sandboxes: Effect.map(backends.probes, (found) => found.map(sandboxCapability)),
          defaultSandbox:
            config.sandbox === null ? Effect.map(backends.best, ({ name }) => name) : Effect.succeed(config.sandbox),
          models: models.probe,
          profiles: Effect.succeed(profiles.names),
          hostVariables: Effect.succeed(Object.keys(config.hostVariables))
        },
        { concurrency: "unbounded" }
      )
      const context = yield* Effect.context<Outbound | TrustStore>()
      return Capabilities.of({
        probe,
        probeCard: models.probeCard,
        probeMcpServer: (probed) => Effect.provide(probeMcpServer(probed), context)
      })
    })
  )

/** What leaves this host for an agent, through the proxy or by our own hand. */
const outward = ({ alsoAllowed, ours }: AddressRules) =>
  Layer.mergeAll(EgressProxy.EgressProxy.layer(), SafeFetch.layer, McpSessions.layer()).pipe(
    Layer.provideMerge(Layer.mergeAll(Outbound.layer(alsoAllowed), TrustStore.layer(), CredentialInjector.layer)),
    Layer.provideMerge(OwnServices.layer(ours)),
    Layer.provide(Resolver.layer())
  )

/** What is made ready for environments, once for many sessions. */
const preparations = (config: RunnerConfig, directory: string, images: Images | undefined) =>
  Layer.unwrap(
    Effect.map(socketDirectory(join(config.state, "preparation-sockets")), (sockets) =>
      Preparations.layer({ directory, sockets, ...(images === undefined ? {} : { images }) })
    )
  ).pipe(Layer.provide(ManagerSettings.layer(config.managers)))

/** What this runner can do: its harnesses and models, their tools, and the places of sessions. */
export const layer = (config: RunnerConfig) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const rules = yield* Effect.fromResult(rulesOf(config))
      const { runnerId } = yield* Identity
      const directories = directoriesOf(config.state)
      const docker = DockerBackend.make({ ...config.docker, owner: runnerId })
      // Another runtime was chosen for what it keeps in, and builds would go past it.
      const images =
        config.docker.builds && config.docker.runtime === null
          ? makeImages({ engine: docker.engine, owner: runnerId })
          : undefined
      const places = Places.layer({
        state: config.state,
        backend: config.sandbox,
        hostVariables: config.hostVariables,
        idleMs: placeIdleMs,
        graceMs: config.graceMs
      }).pipe(
        Layer.provideMerge(
          HostDirectories.layer({
            roots: config.roots,
            hidden: [config.state, config.home],
            memory: join(config.state, "directories.json")
          })
        ),
        Layer.provideMerge(preparations(config, directories.environments, images)),
        Layer.provideMerge(SandboxHome.layer(directories.sandboxes))
      )
      return Layer.mergeAll(
        Layer.effectDiscard(Effect.forkScoped(Effect.ignore(docker.collect))),
        AttemptToolsLive.layer({
          search: (fetch) => (config.tavilyKey === null ? null : tavily({ key: config.tavilyKey }, fetch)),
          hostSecrets: () => readHostSecrets(config.home)
        }),
        WorkplaceHostLive.layer,
        capabilities(config)
      ).pipe(
        Layer.provideMerge(places),
        Layer.provideMerge(harnesses),
        Layer.provideMerge(Profiles.layer(config.profiles === null ? {} : { directory: config.profiles })),
        Layer.provideMerge(
          Layer.mergeAll(
            outward(rules),
            Backends.layer({ modules: config.backends, builtIn: [bubblewrap(), docker, local(), none] }),
            Models.layer(config.models)
          )
        )
      )
    })
  )
