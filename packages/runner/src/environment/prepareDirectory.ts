import type { NetworkPolicy, PackageManager } from "@troupe/domain/environment/EnvironmentConfig"
import { Effect } from "effect"
import { places } from "../sandbox/Sandbox.ts"
import { managers, used } from "./managers.ts"
import { type ManagerSettings, mountsOf } from "./ManagerSettings.ts"
import { joinOffers, type Offers } from "./offers.ts"
import { PreparationFailed } from "./PreparationFailed.ts"
import { environmentTarget, inside, openSandbox, type PreparationSandbox } from "./PreparationSandbox.ts"
import { hasProgram, runStep, unusable } from "./runStep.ts"

/** For one command of a package manager: compiling takes its time. */
const commandMs = 30 * 60_000

/** What an environment with these packages adds, in the order in which they are found. */
export const offersOf = (
  packages: Readonly<Record<PackageManager, ReadonlyArray<string>>>,
  root: string
): ReadonlyArray<Offers> => [
  { PATH: [`${root}/bin`] },
  ...used(packages).map((name) => managers[name].offers(`${root}/${name}`))
]

/** Runs every package manager in turn, and the setup script last. */
export const prepareDirectory = Effect.fnUntraced(function* (
  preparation: PreparationSandbox,
  settings: ManagerSettings["Service"]
) {
  const { packages, setup } = preparation.config
  for (const manager of used(packages)) yield* Effect.scoped(install(preparation, settings, manager))
  if (setup !== null) yield* Effect.scoped(runSetup(preparation, setup))
})

const install = Effect.fnUntraced(function* (
  preparation: PreparationSandbox,
  settings: ManagerSettings["Service"],
  manager: PackageManager
) {
  const { backend, config, onLine } = preparation
  const setting = settings.of(manager)
  const wanted = config.packages[manager].toSorted()
  yield* onLine(`Installing with ${manager}: ${wanted.join(" ")}`)
  const { commands, program, variables } = managers[manager].steps(wanted, {
    target: inside(preparation, `${environmentTarget}/${manager}`),
    work: inside(preparation, places.workspace)
  })
  const policy: NetworkPolicy = {
    type: "limited",
    allowedHosts: setting.hosts ?? [],
    allowMcpServers: false,
    allowPackageManagers: true
  }
  const sandbox = yield* openSandbox(preparation, {
    step: manager,
    policy,
    mounts: mountsOf(manager, setting, backend.isolation === "namespaces"),
    variables: { ...variables, ...setting.variables }
  })
  if (!(yield* hasProgram(sandbox, program).pipe(Effect.mapError(unusable(manager))))) {
    return yield* new PreparationFailed({ step: manager, reason: { _tag: "Missing", program } })
  }
  for (const command of commands) yield* runStep(sandbox, manager, { command, timeoutMs: commandMs }, onLine)
})

const runSetup = Effect.fnUntraced(function* (preparation: PreparationSandbox, setup: string) {
  const { config, onLine } = preparation
  yield* onLine("Running the setup script")
  const root = inside(preparation, environmentTarget)
  const sandbox = yield* openSandbox(preparation, {
    step: "setup",
    policy: config.network,
    mounts: [],
    variables: { ...joinOffers(offersOf(config.packages, root)), ...config.variables }
  })
  yield* runStep(sandbox, "setup", { command: ["sh", "-c", setup, "setup"], timeoutMs: commandMs }, onLine)
})
