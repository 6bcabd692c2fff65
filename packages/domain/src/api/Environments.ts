import { Schema } from "effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { EnvironmentConfig, HostPattern, Lifecycle, packageManagers } from "../environment/EnvironmentConfig.ts"
import { EnvironmentId } from "../Ids.ts"
import { anyFailure } from "./ApiError.ts"
import { Metadata, MetadataPatch, Name, Text } from "./Common.ts"
import { Flag, Page, pageQuery } from "./Page.ts"

const { backend, dockerfile, hostVariables, image, preparation, runnerLabels, setup, size, variables } =
  EnvironmentConfig.fields

/** Our own settings of how a sandbox is made, beside those that the compatible API has. */
export const extras = {
  backend,
  image,
  dockerfile,
  setup,
  variables,
  host_variables: hostVariables,
  preparation,
  size,
  runner_labels: runnerLabels,
  lifecycle: Schema.Struct({
    on_completion: Lifecycle.fields.onCompletion,
    keep_failed: Lifecycle.fields.keepFailed,
    ttl_seconds: Lifecycle.fields.ttlSeconds
  }),
  /** Programs in the sandbox connect nowhere, whatever `networking` says. */
  offline: Schema.Boolean
}

const optional = <const Fields extends Schema.Struct.Fields>(
  fields: Fields
): { readonly [K in keyof Fields]: Schema.optionalKey<Fields[K]> } =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, Schema.optionalKey(field as never)])) as never

const EnvironmentExtrasIn = Schema.Struct(optional(extras))
const EnvironmentExtras = Schema.Struct(extras)

const Packages = Schema.Array(Name(200)).check(Schema.isMaxLength(200))
const packagesOf = <S extends Schema.Top>(field: S) =>
  Object.fromEntries(packageManagers.map((manager) => [manager, field])) as {
    readonly [M in (typeof packageManagers)[number]]: S
  }

const Unrestricted = Schema.Struct({ type: Schema.Literal("unrestricted") })
const Hosts = Schema.Array(HostPattern).check(Schema.isMaxLength(256))
const nullish = <S extends Schema.Top>(field: S) => Schema.optionalKey(Schema.NullOr(field))

const CloudIn = Schema.Struct({
  type: Schema.Literal("cloud"),
  networking: nullish(
    Schema.Union([
      Unrestricted,
      Schema.Struct({
        type: Schema.Literal("limited"),
        allowed_hosts: nullish(Hosts),
        allow_mcp_servers: nullish(Schema.Boolean),
        allow_package_managers: nullish(Schema.Boolean)
      })
    ])
  ),
  packages: nullish(
    Schema.Struct({ type: Schema.optionalKey(Schema.Literal("packages")), ...packagesOf(nullish(Packages)) })
  )
})
const SelfHosted = Schema.Struct({ type: Schema.Literal("self_hosted") })
export const ConfigIn = Schema.Union([CloudIn, SelfHosted])
export type ConfigIn = typeof ConfigIn.Type

export const Config = Schema.Union([
  Schema.Struct({
    type: Schema.Literal("cloud"),
    networking: Schema.Union([
      Unrestricted,
      Schema.Struct({
        type: Schema.Literal("limited"),
        allowed_hosts: Hosts,
        allow_mcp_servers: Schema.Boolean,
        allow_package_managers: Schema.Boolean
      })
    ]),
    packages: Schema.Struct({ type: Schema.Literal("packages"), ...packagesOf(Packages) })
  }),
  SelfHosted
])
export type Config = typeof Config.Type

const scope = Schema.Literals(["organization", "account"])

export const EnvironmentCreate = Schema.Struct({
  name: Name(256),
  config: Schema.optionalKey(Schema.NullOr(ConfigIn)),
  description: Schema.optionalKey(Schema.NullOr(Text(2_048))),
  metadata: Schema.optionalKey(Metadata),
  scope: nullish(scope),
  troupe: Schema.optionalKey(EnvironmentExtrasIn)
})
export type EnvironmentCreate = typeof EnvironmentCreate.Type

export const EnvironmentUpdate = Schema.Struct({
  name: Schema.optionalKey(Schema.NullOr(Name(256))),
  config: Schema.optionalKey(Schema.NullOr(ConfigIn)),
  description: Schema.optionalKey(Schema.NullOr(Text(2_048))),
  metadata: Schema.optionalKey(MetadataPatch),
  scope: nullish(scope),
  troupe: Schema.optionalKey(EnvironmentExtrasIn)
})
export type EnvironmentUpdate = typeof EnvironmentUpdate.Type

/** What is kept of an environment: every default written out. */
export const EnvironmentDefinition = Schema.Struct({
  name: Schema.String,
  description: Schema.NullOr(Schema.String),
  config: Config,
  metadata: Schema.Record(Schema.String, Schema.String),
  scope,
  troupe: EnvironmentExtras
})
export type EnvironmentDefinition = typeof EnvironmentDefinition.Type

export const Environment = Schema.Struct({
  id: EnvironmentId,
  type: Schema.Literal("environment"),
  ...EnvironmentDefinition.fields,
  created_at: Schema.String,
  updated_at: Schema.String,
  archived_at: Schema.NullOr(Schema.String)
}).annotate({ identifier: "Environment" })
export type Environment = typeof Environment.Type

const one = { id: EnvironmentId }

export const create = HttpApiEndpoint.post("createEnvironment", "/v1/environments", {
  payload: EnvironmentCreate,
  success: Environment,
  error: anyFailure
})
export const list = HttpApiEndpoint.get("listEnvironments", "/v1/environments", {
  query: { ...pageQuery, include_archived: Schema.optionalKey(Flag) },
  success: Page(Environment),
  error: anyFailure
})
export const retrieve = HttpApiEndpoint.get("retrieveEnvironment", "/v1/environments/:id", {
  params: one,
  success: Environment,
  error: anyFailure
})
export const update = HttpApiEndpoint.post("updateEnvironment", "/v1/environments/:id", {
  params: one,
  payload: EnvironmentUpdate,
  success: Environment,
  error: anyFailure
})
export const archive = HttpApiEndpoint.post("archiveEnvironment", "/v1/environments/:id/archive", {
  params: one,
  success: Environment,
  error: anyFailure
})
export const remove = HttpApiEndpoint.delete("deleteEnvironment", "/v1/environments/:id", {
  params: one,
  success: Schema.Struct({ id: EnvironmentId, type: Schema.Literal("environment_deleted") }),
  error: anyFailure
})

export const group = HttpApiGroup.make("environments").add(create, list, retrieve, update, archive, remove)
