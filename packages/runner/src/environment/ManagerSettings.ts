import { type PackageManager } from "@troupe/domain/environment/EnvironmentConfig"
import { Context, Layer } from "effect"
import { existsSync } from "node:fs"
import type { Mount } from "../sandbox/Sandbox.ts"

/** What the owner of a host says about one package manager: his mirrors, and what it takes to use them. */
export interface ManagerSetting {
  readonly variables?: Readonly<Record<string, string>>
  /** Files of the host that are there while this manager works, and never in a session. */
  readonly files?: ReadonlyArray<{ readonly source: string; readonly target: string }>
  /** Hosts beside the public ones. Their addresses have to be allowed too, where they are not public. */
  readonly hosts?: ReadonlyArray<string>
}

/** How package managers are configured on this host. What npm, pip or cargo run of a package's own can read it, too. */
export class ManagerSettings extends Context.Service<
  ManagerSettings,
  { readonly of: (manager: PackageManager) => ManagerSetting }
>()("runner/environment/ManagerSettings") {
  static readonly layer = (
    settings: Partial<Record<PackageManager, ManagerSetting>> = {}
  ): Layer.Layer<ManagerSettings> =>
    Layer.succeed(ManagerSettings, ManagerSettings.of({ of: (manager) => settings[manager] ?? {} }))
}

/** What a sandbox that shares the host's system needs beside it for apt: where packages come from, and which are there. */
const aptPlaces = ["/etc/apt", "/var/lib/dpkg"]

export const mountsOf = (
  manager: PackageManager,
  setting: ManagerSetting,
  sharesSystem: boolean
): ReadonlyArray<Mount> => {
  const files = setting.files ?? []
  const replaced = new Set(files.map(({ target }) => target))
  const own =
    manager === "apt" && sharesSystem ? aptPlaces.filter((path) => existsSync(path) && !replaced.has(path)) : []
  return [
    ...own.map((path) => ({ source: path, target: path, readOnly: true })),
    ...files.map(({ source, target }) => ({ source, target, readOnly: true }))
  ]
}
