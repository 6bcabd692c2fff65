import { type TracingConfig, tracingConfig, tracingVariables } from "@troupe/domain/telemetry/TracingConfig"
import { PermissionPolicy } from "@troupe/domain/tools/PermissionPolicy"
import { variables } from "@troupe/domain/Variables"
import { Config, ConfigProvider, Effect, Option, type Redacted, Result, Schema } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { type FilesConfig, filesConfig } from "./files/FilesConfig.ts"

export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** Everything a node is told from outside. */
export interface NodeConfig {
  readonly home: string
  readonly gateway: ListenAddress
  readonly publicUrl: Option.Option<string>
  /** Origins whose pages may call the API with a token of their own. */
  readonly corsOrigins: ReadonlyArray<string>
  /** Requests that one token may send in a minute; zero is without bound. */
  readonly requestsPerMinute: number
  /** Where the console was built to. */
  readonly consoleDirectory: string
  readonly apiKey: Option.Option<Redacted.Redacted>
  readonly masterKey: Option.Option<Redacted.Redacted>
  readonly databaseUrl: Option.Option<Redacted.Redacted>
  readonly databaseOwnerUrl: Option.Option<Redacted.Redacted>
  readonly nodeAddress: ListenAddress
  /** A registration token of the first workspace: what the runner that is started beside this node comes with. */
  readonly runnerToken: Option.Option<Redacted.Redacted>
  /** How long runners may work without contact; no runner's own may be longer. */
  readonly contactLeaseMs: number
  /** Bytes that one command to a session may have, after its large content was moved out of it. */
  readonly commandBytesMax: number
  /** How long the log of a deleted session is kept before it is purged. */
  readonly keepDeletedMs: number
  /** Endpoints, as `host:port`, that requests of this node may reach although they are not public. Runners share the list. */
  readonly egressAllow: ReadonlyArray<string>
  /** What no workspace and no agent can go beyond. */
  readonly policies: ReadonlyArray<PermissionPolicy>
  readonly files: FilesConfig
  /** Null: nothing is traced. */
  readonly tracing: TracingConfig | null
  readonly log: (typeof logLevels)[number]
}

export const logLevels = ["trace", "debug", "info", "warn", "error"] as const

export class ConfigFileUnreadable extends Schema.TaggedError<ConfigFileUnreadable>()("ConfigFileUnreadable", {
  file: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.file} can't be used: ${this.detail}`
  }
}

export class TelemetryInvalid extends Schema.TaggedError<TelemetryInvalid>()("TelemetryInvalid", {
  detail: Schema.String
}) {
  override get message() {
    return `The settings of OpenTelemetry can't be meant: ${this.detail}`
  }
}

const port = (name: string) =>
  Config.schema(Schema.FiniteFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 0, maximum: 65_535 })), name)

// Loopback and any free port, until told otherwise: nothing of a node is reachable from outside by default.
const anyLoopback: ListenAddress = { host: "127.0.0.1", port: 0 }

const hostAndPort = /^(?:\[(?<six>[0-9a-fA-F:]+)\]|(?<host>[^:[\]]+)):(?<port>\d{1,5})$/

const listenAddress = (name: string) =>
  Config.schema(Schema.String.check(Schema.isPattern(hostAndPort)), name).pipe(
    Config.map((text): ListenAddress => {
      const { host, port, six } = hostAndPort.exec(text)!.groups!
      return { host: six ?? host!, port: Number(port) }
    })
  )

/** Short ones could be guessed: nothing slows that down. */
const secret = (name: string) =>
  Config.schema(Schema.RedactedFromValue(Schema.String.check(Schema.isPattern(/^\S{32,512}$/))), name)

const publicUrl = Config.schema(
  Schema.String.check(
    Schema.makeFilter((url: string) => /^https?:/.test(url) && URL.canParse(url), { expected: "a URL" })
  ),
  "TROUPE_PUBLIC_URL"
)

/** Exact ones: a pattern lets in pages that nobody thought of. */
const origins = (name: string) =>
  Config.schema(
    Schema.String.check(
      Schema.makeFilter((text: string) => originsIn(text).every(isOrigin), {
        expected: "origins with commas between them, such as https://app.example.com"
      })
    ),
    name
  ).pipe(Config.map(originsIn))

const originsIn = (text: string): ReadonlyArray<string> =>
  text
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "")

const isOrigin = (text: string): boolean => /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text

const builtConsole = join(import.meta.dirname, "../../console/dist")

const home = Config.String("TROUPE_HOME").pipe(Config.withDefault(join(homedir(), ".troupe")))

const all = Config.all({
  home,
  gateway: Config.all({
    host: Config.String("TROUPE_HOST").pipe(Config.withDefault(variables.TROUPE_HOST.usual)),
    port: port("TROUPE_PORT").pipe(Config.withDefault(variables.TROUPE_PORT.usual))
  }),
  publicUrl: Config.option(publicUrl),
  corsOrigins: origins("TROUPE_CORS_ORIGINS").pipe(Config.withDefault([])),
  requestsPerMinute: Config.schema(
    Schema.FiniteFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 0, maximum: 1_000_000_000 })),
    "TROUPE_REQUESTS_PER_MINUTE"
  ).pipe(Config.withDefault(variables.TROUPE_REQUESTS_PER_MINUTE.usual)),
  consoleDirectory: Config.String("TROUPE_CONSOLE_DIRECTORY").pipe(Config.withDefault(builtConsole)),
  apiKey: Config.option(secret("TROUPE_API_KEY")),
  masterKey: Config.option(Config.Redacted("TROUPE_MASTER_KEY")),
  databaseUrl: Config.option(Config.Redacted("DATABASE_URL")),
  databaseOwnerUrl: Config.option(Config.Redacted("DATABASE_OWNER_URL")),
  nodeAddress: listenAddress("TROUPE_NODE_ADDRESS").pipe(Config.withDefault(anyLoopback)),
  runnerToken: Config.option(secret("TROUPE_RUNNER_TOKEN")),
  contactLeaseMs: Config.Int("TROUPE_CONTACT_LEASE_MS").pipe(
    Config.withDefault(variables.TROUPE_CONTACT_LEASE_MS.usual)
  ),
  commandBytesMax: Config.schema(
    Schema.FiniteFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 131_072, maximum: 33_554_432 })),
    "TROUPE_COMMAND_BYTES"
  ).pipe(Config.withDefault(variables.TROUPE_COMMAND_BYTES.usual)),
  keepDeletedMs: Config.schema(
    Schema.FiniteFromString.check(Schema.isBetween({ minimum: 0, maximum: 3_650 })),
    "TROUPE_KEEP_DELETED_DAYS"
  ).pipe(
    Config.withDefault(variables.TROUPE_KEEP_DELETED_DAYS.usual),
    Config.map((days) => days * 86_400_000)
  ),
  egressAllow: Config.String("TROUPE_EGRESS_ALLOW").pipe(
    Config.map((text) => text.split(",").flatMap((part) => (part.trim() === "" ? [] : [part.trim()]))),
    Config.withDefault<ReadonlyArray<string>>([])
  ),
  policies: Config.schema(Schema.fromJsonString(Schema.Array(PermissionPolicy)), "TROUPE_POLICIES").pipe(
    Config.withDefault([])
  ),
  files: filesConfig,
  telemetry: Config.all(
    Object.fromEntries(tracingVariables.map((name) => [name, Config.String(name).pipe(Config.withDefault(undefined))]))
  ),
  log: Config.Literals(logLevels, "TROUPE_LOG").pipe(Config.withDefault(variables.TROUPE_LOG.usual))
})

const fileProvider = (file: string) =>
  Effect.try({
    try: () =>
      existsSync(file)
        ? ConfigProvider.fromUnknown(JSON.parse(readFileSync(file, "utf8")))
        : ConfigProvider.fromUnknown({}),
    catch: (cause) => new ConfigFileUnreadable({ file, detail: cause instanceof Error ? cause.message : String(cause) })
  })

/**
 * The environment wins over `config.json` of the home, which uses the same names. `secrets` are variables that came through
 * a pipe, so that they are in no process's environment.
 */
export const loadWith = Effect.fnUntraced(function* (secrets: Readonly<Record<string, string>>) {
  const environment = ConfigProvider.orElse(ConfigProvider.fromUnknown(secrets), ConfigProvider.fromEnv())
  const file = yield* fileProvider(join(yield* home.parse(environment), "config.json"))
  const { telemetry, ...config } = yield* all.parse(ConfigProvider.orElse(environment, file))
  const tracing = tracingConfig(telemetry)
  if (Result.isFailure(tracing)) return yield* new TelemetryInvalid({ detail: tracing.failure })
  return { ...config, tracing: tracing.success }
})

export const load = Effect.suspend(() => loadWith({}))

const decodeSecrets = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Record(Schema.String, Schema.String)))

/** Reads variables from an inherited pipe: one JSON object. */
export const readSecrets = Effect.fnUntraced(function* (descriptor: number) {
  const unreadable = (detail: string) => new ConfigFileUnreadable({ file: `Descriptor ${descriptor}`, detail })
  const text = yield* Effect.try({
    try: () => readFileSync(descriptor, "utf8"),
    catch: (cause) => unreadable(cause instanceof Error ? cause.message : String(cause))
  })
  // What it holds is secret, so the parser's own words are not repeated.
  return yield* Effect.mapError(decodeSecrets(text), () => unreadable("it holds no JSON object of texts"))
})
