import { Result, Schema } from "effect"
import { canonical } from "../../CanonicalJson.ts"
import { checkEnvironment, type EnvironmentProblem, type KnownNames } from "../../environment/checkEnvironment.ts"
import { defaults, EnvironmentConfig, packageManagers } from "../../environment/EnvironmentConfig.ts"
import { type ApiFailure, invalid } from "../ApiError.ts"
import { patched, tooManyPairs } from "../Common.ts"
import type { Config, ConfigIn, EnvironmentCreate, EnvironmentDefinition, EnvironmentUpdate } from "../Environments.ts"
import { describe } from "../problems.ts"

type Cloud = Extract<Config, { readonly type: "cloud" }>
type Extras = EnvironmentDefinition["troupe"]

const noPackages: Cloud["packages"] = { type: "packages", ...defaults.packages }
const cloud: Cloud = { type: "cloud", networking: { type: "unrestricted" }, packages: noPackages }

const usualExtras: Extras = {
  backend: defaults.backend,
  image: defaults.image,
  dockerfile: defaults.dockerfile,
  setup: defaults.setup,
  variables: defaults.variables,
  host_variables: defaults.hostVariables,
  preparation: defaults.preparation,
  size: defaults.size,
  runner_labels: defaults.runnerLabels,
  lifecycle: {
    on_completion: defaults.lifecycle.onCompletion,
    keep_failed: defaults.lifecycle.keepFailed,
    ttl_seconds: defaults.lifecycle.ttlSeconds
  },
  offline: false
}

type NetworkIn = NonNullable<Extract<ConfigIn, { readonly type: "cloud" }>["networking"]>

const resolveNetwork = (given: NetworkIn, before: Cloud["networking"]): Cloud["networking"] => {
  if (given.type === "unrestricted") return given
  const kept =
    before.type === "limited" ? before : { allowed_hosts: [], allow_mcp_servers: false, allow_package_managers: false }
  return {
    type: "limited",
    allowed_hosts: given.allowed_hosts ?? kept.allowed_hosts,
    allow_mcp_servers: given.allow_mcp_servers ?? kept.allow_mcp_servers,
    allow_package_managers: given.allow_package_managers ?? kept.allow_package_managers
  }
}

/** What a config names is replaced, at every level; the rest stays. */
const resolveConfig = (given: ConfigIn, before: Config): Config => {
  if (given.type === "self_hosted" || before.type === "self_hosted") return { type: "self_hosted" }
  const { networking, packages } = given
  const lists = packageManagers.map((manager) => [manager, packages?.[manager] ?? before.packages[manager]] as const)
  return {
    type: "cloud",
    networking: networking == null ? before.networking : resolveNetwork(networking, before.networking),
    packages: { type: "packages", ...(Object.fromEntries(lists) as Omit<Cloud["packages"], "type">) }
  }
}

/** How the sandboxes of an environment are made, in our own words. */
export const configOf = ({ config, troupe }: Pick<EnvironmentDefinition, "config" | "troupe">): EnvironmentConfig => {
  const { host_variables: hostVariables, lifecycle: kept, offline, runner_labels: runnerLabels, ...own } = troupe
  const given = config.type === "cloud" ? config : cloud
  const { type: _, ...packages } = given.packages
  const network: EnvironmentConfig["network"] = offline
    ? { type: "none" }
    : given.networking.type === "unrestricted"
      ? { type: "unrestricted" }
      : {
          type: "limited",
          allowedHosts: given.networking.allowed_hosts,
          allowMcpServers: given.networking.allow_mcp_servers,
          allowPackageManagers: given.networking.allow_package_managers
        }
  const lifecycle = { onCompletion: kept.on_completion, keepFailed: kept.keep_failed, ttlSeconds: kept.ttl_seconds }
  const cloudConfig = { ...own, hostVariables, runnerLabels, lifecycle, packages, network }
  return config.type === "cloud" ? cloudConfig : { ...cloudConfig, backend: "none", selfHosted: true }
}

const validate = Schema.decodeUnknownResult(Schema.toType(EnvironmentConfig))

const checked = (definition: EnvironmentDefinition): Result.Result<EnvironmentDefinition, ApiFailure> => {
  const tooMany = tooManyPairs(definition.metadata)
  if (tooMany !== undefined) return Result.fail(tooMany)
  const whole = validate(configOf(definition), { errors: "all" })
  return Result.isFailure(whole) ? Result.fail(invalid(describe(whole.failure, "config"))) : Result.succeed(definition)
}

export const createEnvironment = (input: EnvironmentCreate): Result.Result<EnvironmentDefinition, ApiFailure> =>
  checked({
    name: input.name,
    description: input.description ?? null,
    config: input.config == null ? cloud : resolveConfig(input.config, cloud),
    metadata: input.metadata ?? {},
    scope: input.scope ?? "organization",
    troupe: { ...usualExtras, ...input.troupe }
  })

export const updateEnvironment = (
  before: EnvironmentDefinition,
  input: EnvironmentUpdate
): Result.Result<EnvironmentDefinition, ApiFailure> => {
  const { config, description, metadata, name, scope, troupe } = input
  if (config != null && config.type !== before.config.type) {
    return Result.fail(invalid("config.type cannot be changed", "invalid_config_type_change"))
  }
  return checked({
    name: name ?? before.name,
    description: description === undefined ? before.description : description,
    config: config == null ? before.config : resolveConfig(config, before.config),
    metadata: patched(before.metadata, metadata, { emptyDeletes: true }),
    scope: scope ?? before.scope,
    troupe: { ...before.troupe, ...troupe }
  })
}

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** Where a client finds the field. */
const placeOf = ([first = "", ...rest]: EnvironmentProblem["path"]): string =>
  [...(first === "packages" ? ["config", "packages"] : ["troupe", snake(first)]), ...rest].join(".")

/**
 * Holds an environment to the names that there are. `before` is what is there already: where that says the same about
 * sandboxes, nothing is asked, because those who had a name may have gone since.
 */
export const checkNames = (
  definition: EnvironmentDefinition,
  known: KnownNames,
  before?: EnvironmentDefinition
): Result.Result<void, ApiFailure> => {
  if (before !== undefined && canonical(configOf(before)) === canonical(configOf(definition))) return Result.void
  const problems = checkEnvironment(configOf(definition), known)
  if (problems.length === 0) return Result.void
  const said = problems.slice(0, 5).map(({ issue, path }) => `${placeOf(path)}: ${issue}`)
  return Result.fail(invalid(said.join("; "), "invalid_environment"))
}

/** The environment of sessions that name none. */
export const defaultEnvironment: EnvironmentDefinition = {
  name: "default",
  description: null,
  config: cloud,
  metadata: {},
  scope: "organization",
  troupe: usualExtras
}
