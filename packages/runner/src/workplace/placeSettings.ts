import { defaults, EnvironmentConfig, type NetworkPolicy } from "@troupe/domain/environment/EnvironmentConfig"
import { WorkplaceError } from "@troupe/domain/runner/Workplace"
import type { EnvironmentSnapshot } from "@troupe/domain/session/Opening"
import type { Confinement } from "@troupe/domain/tools/Confinement"
import { Result, Schema } from "effect"
import { sandboxVariables } from "../egress/sandboxVariables.ts"
import { places } from "../sandbox/Sandbox.ts"

const decode = Schema.decodeUnknownResult(EnvironmentConfig, { onExcessProperty: "error" })

/** What an environment says, or why it can't be used here. */
export const configOf = (environment: EnvironmentSnapshot | null): Result.Result<EnvironmentConfig, WorkplaceError> => {
  if (environment === null) return Result.succeed(defaults)
  return Result.mapError(
    decode({ ...defaults, ...environment.config }),
    (issue) =>
      new WorkplaceError({
        code: "environment_invalid",
        detail: `The environment ${environment.name} can't be used: ${String(issue)}`.slice(0, 1_000),
        field: null
      })
  )
}

const limited: NetworkPolicy = {
  type: "limited",
  allowedHosts: [],
  allowMcpServers: true,
  allowPackageManagers: true
}

/** What is left of an environment under policies that take away from it. */
export const confined = (config: EnvironmentConfig, confinement: Confinement): EnvironmentConfig => {
  const { network } = config
  const left: NetworkPolicy =
    confinement.network === "none"
      ? { type: "none" }
      : confinement.network === "limited" && network.type === "unrestricted"
        ? limited
        : network
  return { ...config, network: left, hostVariables: confinement.noHostVariables ? [] : config.hostVariables }
}

/** What every program expects to find, and nothing of the host. */
const base: Readonly<Record<string, string>> = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: places.workspace,
  LANG: "C.UTF-8",
  LC_ALL: "C.UTF-8",
  TERM: "xterm-256color",
  SHELL: "/bin/bash",
  PAGER: "cat",
  GIT_PAGER: "cat",
  GIT_TERMINAL_PROMPT: "0"
}

export interface VariableSources {
  readonly host: Readonly<Record<string, string>>
  /** What was prepared for the environment adds: its PATH is whole. */
  readonly prepared: Readonly<Record<string, string>>
  readonly workspace: string
  /** Where the certificates are that programs are to trust; null: there is no way out. */
  readonly certificates: string | null
}

/** The variables of a sandbox. The host's own come in only where its owner allowed them and the environment names them. */
export const variablesOf = (
  config: EnvironmentConfig,
  { certificates, host, prepared, workspace }: VariableSources
): Readonly<Record<string, string>> => ({
  ...base,
  HOME: workspace,
  ...(certificates === null ? {} : sandboxVariables(certificates)),
  ...prepared,
  ...Object.fromEntries(config.hostVariables.flatMap((name) => (name in host ? [[name, host[name]!]] : []))),
  ...config.variables
})
