import { Schema } from "effect"

/** A bare host name, or `*.` and a name for every host below it. */
export const HostPattern = Schema.String.check(
  Schema.isMaxLength(253),
  Schema.isPattern(/^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i)
)

/** Where programs in a sandbox may connect to. Private ranges, metadata services and our own ports never are among it. */
export const NetworkPolicy = Schema.Union([
  Schema.Struct({ type: Schema.Literal("none") }),
  Schema.Struct({
    type: Schema.Literal("limited"),
    allowedHosts: Schema.Array(HostPattern).check(Schema.isMaxLength(256)),
    allowMcpServers: Schema.Boolean,
    allowPackageManagers: Schema.Boolean
  }),
  Schema.Struct({ type: Schema.Literal("unrestricted") })
])
export type NetworkPolicy = typeof NetworkPolicy.Type

// A package is one word for its manager: no options, no second word.
const Packages = Schema.Array(
  Schema.String.check(Schema.isMaxLength(200), Schema.isPattern(/^[A-Za-z0-9@][^\s;|&$`\\'"<>()]*$/))
).check(Schema.isMaxLength(200))

export const packageManagers = ["apt", "cargo", "gem", "go", "npm", "pip"] as const
export type PackageManager = (typeof packageManagers)[number]

/** What a sandbox may use at most. */
export const SandboxSize = Schema.Struct({
  cpus: Schema.Finite.check(Schema.isBetween({ minimum: 0.1, maximum: 256 })),
  memoryMb: Schema.Int.check(Schema.isBetween({ minimum: 64, maximum: 4_194_304 })),
  diskMb: Schema.Int.check(Schema.isBetween({ minimum: 16, maximum: 16_777_216 })),
  processes: Schema.Int.check(Schema.isBetween({ minimum: 8, maximum: 65_536 }))
})
export type SandboxSize = typeof SandboxSize.Type

export const sizes = {
  small: { cpus: 1, memoryMb: 1_024, diskMb: 4_096, processes: 256 },
  medium: { cpus: 2, memoryMb: 4_096, diskMb: 16_384, processes: 512 },
  large: { cpus: 4, memoryMb: 16_384, diskMb: 65_536, processes: 2_048 }
} as const satisfies Record<string, SandboxSize>

const VariableName = Schema.String.check(Schema.isPattern(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/))

/** What becomes of a session's sandbox when nothing works in it. */
export const Lifecycle = Schema.Struct({
  /** When the session is done: keep everything, end what runs and keep the files, or delete it after its files are kept. */
  onCompletion: Schema.Literals(["retain", "sleep", "delete"]),
  /** Whether the sandbox of a session that failed stays, whatever `onCompletion` says, so that somebody can look. */
  keepFailed: Schema.Boolean,
  /** For how long an unused sandbox is kept at most; null: until the session is deleted. */
  ttlSeconds: Schema.NullOr(Schema.Int.check(Schema.isBetween({ minimum: 60, maximum: 31_536_000 })))
})
export type Lifecycle = typeof Lifecycle.Type

/** How an environment's sandboxes are made. */
export const EnvironmentConfig = Schema.Struct({
  /** `bubblewrap`, `docker`, `local`, `none`, or a backend that a runner brings; null: the runner's own choice. */
  backend: Schema.NullOr(Schema.String.check(Schema.isPattern(/^[a-z][a-z0-9-]{0,63}$/))),
  image: Schema.NullOr(Schema.String.check(Schema.isMaxLength(512), Schema.isPattern(/^[^\s\p{Cc}]+$/u))),
  /** The body of a Dockerfile that makes the image. Never with `image`. */
  dockerfile: Schema.NullOr(Schema.String.check(Schema.isMaxLength(65_536))),
  packages: Schema.Struct({
    apt: Packages,
    cargo: Packages,
    gem: Packages,
    go: Packages,
    npm: Packages,
    pip: Packages
  }),
  /** A shell script that runs once, after the packages, when the environment is prepared. */
  setup: Schema.NullOr(Schema.String.check(Schema.isMaxLength(65_536))),
  variables: Schema.Record(VariableName, Schema.String.check(Schema.isMaxLength(32_768))),
  /** Variables of the runner's host that go into the sandbox. A runner passes on only what its owner allowed. */
  hostVariables: Schema.Array(VariableName),
  /** What is made ready in each fresh sandbox: `none`, `github`, `azure`, or a profile that a runner brings. Options hold no secrets. */
  preparation: Schema.Struct({
    profile: Schema.String.check(Schema.isPattern(/^[a-z][a-z0-9-]{0,63}$/)),
    options: Schema.Record(Schema.String, Schema.String.check(Schema.isMaxLength(4_096)))
  }),
  size: Schema.Union([Schema.Literals(["small", "medium", "large"]), SandboxSize]),
  network: NetworkPolicy,
  // As runners are labelled.
  runnerLabels: Schema.Array(Schema.String.check(Schema.isPattern(/^[^\p{Cc}]{1,128}$/u))).check(
    Schema.isMaxLength(64)
  ),
  lifecycle: Lifecycle,
  /** The customer's own workers run what would run in the sandbox; there is none then. */
  selfHosted: Schema.optionalKey(Schema.Boolean)
}).check(
  Schema.makeFilter((config) =>
    config.image !== null && config.dockerfile !== null
      ? { path: ["dockerfile"], issue: "an environment has an image or a Dockerfile, not both" }
      : undefined
  ),
  Schema.makeFilter(({ network, packages }) =>
    network.type !== "unrestricted" &&
    packageManagers.some((manager) => packages[manager].length > 0) &&
    !(network.type === "limited" && network.allowPackageManagers)
      ? { path: ["packages"], issue: "packages need a network that allows package managers" }
      : undefined
  )
)
export type EnvironmentConfig = typeof EnvironmentConfig.Type

export const sizeOf = ({ size }: Pick<EnvironmentConfig, "size">): SandboxSize =>
  typeof size === "string" ? sizes[size] : size

/** What a session without an environment gets. */
export const defaults: EnvironmentConfig = {
  backend: null,
  image: null,
  dockerfile: null,
  packages: { apt: [], cargo: [], gem: [], go: [], npm: [], pip: [] },
  setup: null,
  variables: {},
  hostVariables: [],
  preparation: { profile: "none", options: {} },
  size: "medium",
  network: { type: "unrestricted" },
  runnerLabels: [],
  lifecycle: { onCompletion: "retain", keepFailed: false, ttlSeconds: null }
}
