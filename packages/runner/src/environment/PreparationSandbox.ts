import { type EnvironmentConfig, type NetworkPolicy, sizeOf } from "@troupe/domain/environment/EnvironmentConfig"
import type { SandboxId, SessionId } from "@troupe/domain/Ids"
import { Effect } from "effect"
import { existsSync } from "node:fs"
import { join } from "node:path"
import type { EgressProxy } from "../egress/EgressProxy.ts"
import type { EgressRecord } from "../egress/EgressRecord.ts"
import { bundleTarget, sandboxVariables } from "../egress/sandboxVariables.ts"
import { type Mount, type SandboxBackend, type SandboxSpec, places } from "../sandbox/Sandbox.ts"
import type { Home } from "../sandbox/SandboxHome.ts"
import { hostPath } from "../sandbox/SandboxPaths.ts"
import { basePath } from "./offers.ts"
import { type OnLine, unusable } from "./runStep.ts"

/** Where sessions find what was prepared, and where it is written while it is. */
export const environmentTarget = "/opt/environment"

export interface PreparationSandbox {
  readonly backend: SandboxBackend
  readonly config: EnvironmentConfig
  readonly egress: EgressProxy["Service"]
  readonly home: Home
  readonly root: string
  readonly sandboxId: SandboxId
  readonly sessionId: SessionId
  readonly sockets: string
  readonly onLine: OnLine
}

export interface StepOptions {
  readonly step: string
  readonly policy: NetworkPolicy
  readonly mounts: ReadonlyArray<Mount>
  readonly variables: Readonly<Record<string, string>>
}

const environmentMount = (root: string, readOnly: boolean): Mount => ({
  source: root,
  target: environmentTarget,
  readOnly
})

export const mountOf = (root: string): Mount => environmentMount(root, true)

/** What processes of the preparation's sandbox call a path. */
export const inside = ({ backend, home, root }: PreparationSandbox, path: string): string =>
  backend.isolation === "none"
    ? hostPath({ home: home.home, mounts: [...home.mounts, environmentMount(root, false)] }, path)
    : path

/** What was asked of the network and not had, for whoever waits. */
const refusals =
  (onLine: OnLine) =>
  ({ host, outcome, port }: EgressRecord): Effect.Effect<void> =>
    outcome._tag === "Refused" ? onLine(`The network refused ${host}:${port} (${outcome.code})`) : Effect.void

/** A sandbox for one step, with the files of that step alone. */
export const openSandbox = Effect.fnUntraced(function* (preparation: PreparationSandbox, options: StepOptions) {
  const { backend, config, egress, home, onLine, root, sandboxId, sessionId } = preparation
  const { account } = home
  const isProxied = backend.isolation !== "none" && options.policy.type !== "none"
  const socket = join(preparation.sockets, sandboxId.slice(-22))
  const bundle = join(home.home, "certificates.pem")
  if (isProxied) {
    yield* egress
      .open({
        sessionId,
        sandboxId,
        socketPath: socket,
        ...(account.switched ? { owner: { uid: account.uid, gid: account.gid } } : {}),
        bundlePath: bundle,
        policy: options.policy,
        mcpHosts: [],
        log: refusals(onLine)
      })
      .pipe(Effect.mapError(unusable(options.step)))
  }
  const trusted = existsSync(bundleTarget) ? bundleTarget : "/mnt/session/certificates.pem"
  const spec: SandboxSpec = {
    sandboxId,
    sessionId,
    home: home.home,
    mounts: [
      ...home.mounts,
      environmentMount(root, false),
      ...(isProxied ? [{ source: bundle, target: trusted, readOnly: true }] : []),
      ...options.mounts
    ],
    size: sizeOf(config),
    network: isProxied ? { _tag: "Proxied", socket } : { _tag: "None" },
    variables: {
      PATH: basePath,
      HOME: inside(preparation, places.workspace),
      LANG: "C.UTF-8",
      LC_ALL: "C.UTF-8",
      TERM: "dumb",
      CI: "1",
      ...(isProxied ? sandboxVariables(trusted) : {}),
      ...options.variables
    },
    image: config.image
  }
  return yield* Effect.acquireRelease(
    backend.create(spec).pipe(Effect.mapError(unusable(options.step))),
    ({ destroy }) => destroy
  )
})
