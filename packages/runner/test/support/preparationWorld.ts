import { defaults, type EnvironmentConfig } from "@troupe/domain/environment/EnvironmentConfig"
import { Effect, Layer, Redacted, Stream } from "effect"
import { join } from "node:path"
import { CredentialInjector } from "../../src/egress/CredentialInjector.ts"
import { EgressProxy } from "../../src/egress/EgressProxy.ts"
import { TrustStore } from "../../src/egress/TrustStore.ts"
import { ManagerSettings, type ManagerSetting } from "../../src/environment/ManagerSettings.ts"
import { type Prepared, Preparations, type PreparationsOptions } from "../../src/environment/Preparations.ts"
import { Profiles } from "../../src/environment/profiles/Profiles.ts"
import { SecretMissing } from "../../src/environment/profiles/Profile.ts"
import type { ExecRequest, Sandbox, SandboxBackend, SandboxSpec } from "../../src/sandbox/Sandbox.ts"
import { SandboxHome } from "../../src/sandbox/SandboxHome.ts"
import { newSandboxId, plainSpec, temporaryState } from "../../src/sandbox/trial.ts"
import { outbound } from "./outbound.ts"

export const environmentOf = (given: Partial<EnvironmentConfig>): EnvironmentConfig => ({
  ...defaults,
  size: "small",
  ...given,
  packages: { ...defaults.packages, ...given.packages }
})

export interface WorldOptions extends Partial<PreparationsOptions> {
  readonly managers?: Partial<Record<keyof EnvironmentConfig["packages"], ManagerSetting>>
  /** Ports of `registry.test`. */
  readonly ports?: ReadonlyArray<number>
}

/** Preparations in a directory of the test's own, with registries on the loopback. */
export const preparationWorld = Effect.fnUntraced(function* (options: WorldOptions = {}) {
  const directory = yield* temporaryState("troupe-prepare-")
  const homes = SandboxHome.layer(join(directory, "homes"))
  const layers = (given: Partial<PreparationsOptions> = {}) =>
    Preparations.layer({ directory: join(directory, "environments"), sockets: directory, ...options, ...given }).pipe(
      Layer.provide([
        EgressProxy.layer().pipe(
          Layer.provide([
            outbound(
              (options.ports ?? []).map((port) => `registry.test:${port}`),
              { "registry.test": ["127.0.0.1"] }
            ),
            Layer.orDie(TrustStore.layer())
          ])
        ),
        ManagerSettings.layer(options.managers),
        Layer.orDie(Profiles.layer())
      ]),
      Layer.provide([CredentialInjector.layer]),
      Layer.provideMerge(homes)
    )
  const open = (given?: Partial<PreparationsOptions>) => Effect.provide(Effect.service(Preparations), layers(given))
  const homesNow = yield* Effect.provide(Effect.service(SandboxHome), homes)

  /** A session's sandbox with what was prepared. */
  const session = Effect.fnUntraced(function* (
    backend: SandboxBackend,
    prepared: Prepared,
    other: Partial<SandboxSpec> = {}
  ) {
    const sandboxId = newSandboxId()
    const home = yield* Effect.acquireRelease(homesNow.open(sandboxId), () => Effect.orDie(homesNow.remove(sandboxId)))
    const plain = plainSpec(home, sandboxId)
    const spec = {
      ...plain,
      mounts: [...plain.mounts, ...prepared.mounts],
      variables: { ...plain.variables, HOME: "/workspace", ...prepared.variables },
      image: prepared.image,
      ...other
    }
    return yield* Effect.acquireRelease(backend.create(spec), ({ destroy }) => destroy)
  })
  return { directory, open, session, preparations: yield* open() }
})

/** What a script says in a sandbox, both streams in one. */
export const say = Effect.fnUntraced(function* (sandbox: Sandbox, script: string, other: Partial<ExecRequest> = {}) {
  const process = yield* sandbox.exec({ command: ["sh", "-c", script], timeoutMs: 120_000, ...other })
  const said = yield* Stream.runFold(
    process.output,
    () => "",
    (text, { bytes }) => text + Buffer.from(bytes).toString("utf8")
  )
  yield* process.ending
  return said.trim()
}, Effect.scoped)

export const secretsOf = (known: Readonly<Record<string, string>>) => (name: string) =>
  known[name] === undefined ? Effect.fail(new SecretMissing({ name })) : Effect.succeed(Redacted.make(known[name]))
