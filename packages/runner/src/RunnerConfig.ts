import { type TracingConfig, tracingConfig } from "@troupe/domain/telemetry/TracingConfig"
import { Config, ConfigProvider, Effect, Redacted, Result, Schema } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { availableParallelism, homedir, hostname } from "node:os"
import { join, resolve } from "node:path"
import type { PackageManager } from "@troupe/domain/environment/EnvironmentConfig"
import { secretsOf, variables as declared } from "@troupe/domain/Variables"
import { readManagersFile } from "./environment/managersFile.ts"
import { readHostSecrets } from "./secrets/hostSecrets.ts"
import { ownFile } from "./secrets/ownFile.ts"
import type { ManagerSetting } from "./environment/ManagerSettings.ts"
import { defaultSizes, type JournalSizes } from "./journal/AttemptJournal.ts"
import { errorText } from "./journal/files.ts"
import { fromEnvironment, type ModelsConfig, readModelsFile } from "./models/ProviderConfig.ts"

/** Everything a runner is told from outside. */
export interface RunnerConfig {
  readonly home: string
  readonly state: string
  readonly servers: ReadonlyArray<string>
  /** Null: the identity that it has already must do. */
  readonly token: Redacted.Redacted | null
  readonly name: string
  readonly labels: ReadonlyArray<string>
  readonly capacity: { readonly attempts: number; readonly sessions: number }
  /** Directories of this host that people may choose from. */
  readonly roots: ReadonlyArray<string>
  /** The sandbox backend for environments that name none; null: the best there is. */
  readonly sandbox: string | null
  readonly docker: {
    readonly socketPath: string
    readonly image: string
    readonly runtime: string | null
    /** Whether images are made of the Dockerfiles of environments. */
    readonly builds: boolean
  }
  /** Modules that bring sandbox backends of their own. */
  readonly backends: ReadonlyArray<string>
  /** A directory with preparation profiles of the owner's own: modules and scripts. */
  readonly profiles: string | null
  /** Mirrors of package managers, and what it takes to use them. */
  readonly managers: Partial<Record<PackageManager, ManagerSetting>>
  /** Variables of this host that environments may ask for, with what they hold. */
  readonly hostVariables: Readonly<Record<string, string>>
  /** `host:port` pairs that agents may reach although they are not public. */
  readonly alsoAllowed: ReadonlyArray<string>
  readonly models: ModelsConfig
  /** Without it, no agent can search the web. */
  readonly tavilyKey: Redacted.Redacted | null
  readonly journal: JournalSizes
  readonly contactLeaseMs: number
  /** How long a sandbox is left as it is after a turn, whatever its environment says: the next one may come soon. */
  readonly graceMs: number
  /** How long attempts may go on after the runner was told to stop. */
  readonly stopGraceMs: number
  /** Null: nothing is traced. */
  readonly tracing: TracingConfig | null
  readonly log: (typeof logLevels)[number]
}

export const logLevels = ["trace", "debug", "info", "warn", "error"] as const

/** What the command line says. What it does not say comes from the environment, from `runner.json`, or is as usual. */
export interface RunnerFlags {
  readonly servers: ReadonlyArray<string>
  readonly tokenFile: string | null
  readonly tokenFd: number | null
  /** Descriptor of an inherited pipe with variables that are to be in no environment, as one JSON object. */
  readonly secretsFd: number | null
  readonly name: string | null
  readonly labels: ReadonlyArray<string>
  readonly capacity: number | null
  readonly roots: ReadonlyArray<string>
  readonly sandbox: string | null
  readonly state: string | null
}

export class RunnerConfigInvalid extends Schema.TaggedError<RunnerConfigInvalid>()("RunnerConfigInvalid", {
  what: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.what} can't be used: ${this.detail}`
  }
}

const invalid = (what: string, detail: string) => new RunnerConfigInvalid({ what, detail })

const list = (name: string) =>
  Config.String(name).pipe(
    Config.map((text) => text.split(",").flatMap((part) => (part.trim() === "" ? [] : [part.trim()]))),
    Config.withDefault<ReadonlyArray<string>>([])
  )

const nothing = Config.withDefault(null)

const environment = Config.all({
  home: Config.String("TROUPE_HOME").pipe(Config.withDefault(join(homedir(), ".troupe"))),
  servers: list("TROUPE_SERVER_URL"),
  token: Config.Redacted("TROUPE_RUNNER_TOKEN").pipe(nothing),
  name: Config.NonEmptyString("TROUPE_RUNNER_NAME").pipe(nothing),
  labels: list("TROUPE_RUNNER_LABELS"),
  capacity: Config.Int("TROUPE_RUNNER_CAPACITY").pipe(nothing),
  roots: list("TROUPE_RUNNER_ROOTS"),
  sandbox: Config.NonEmptyString("TROUPE_SANDBOX").pipe(nothing),
  docker: Config.all({
    socketPath: Config.NonEmptyString("TROUPE_DOCKER_SOCKET").pipe(
      Config.withDefault(declared.TROUPE_DOCKER_SOCKET.usual)
    ),
    image: Config.NonEmptyString("TROUPE_DOCKER_IMAGE").pipe(Config.withDefault(declared.TROUPE_DOCKER_IMAGE.usual)),
    runtime: Config.NonEmptyString("TROUPE_DOCKER_RUNTIME").pipe(nothing),
    builds: Config.Boolean("TROUPE_DOCKER_BUILDS").pipe(Config.withDefault(declared.TROUPE_DOCKER_BUILDS.usual))
  }),
  backends: list("TROUPE_SANDBOX_MODULES"),
  profiles: Config.NonEmptyString("TROUPE_PROFILES").pipe(nothing),
  hostVariables: list("TROUPE_RUNNER_HOST_VARIABLES"),
  alsoAllowed: list("TROUPE_EGRESS_ALLOW"),
  journalBytes: Config.Int("TROUPE_RUNNER_JOURNAL_BYTES").pipe(
    Config.withDefault(declared.TROUPE_RUNNER_JOURNAL_BYTES.usual)
  ),
  attemptJournalBytes: Config.Int("TROUPE_RUNNER_ATTEMPT_JOURNAL_BYTES").pipe(
    Config.withDefault(declared.TROUPE_RUNNER_ATTEMPT_JOURNAL_BYTES.usual)
  ),
  contactLeaseMs: Config.Int("TROUPE_CONTACT_LEASE_MS").pipe(
    Config.withDefault(declared.TROUPE_CONTACT_LEASE_MS.usual)
  ),
  graceMs: Config.Int("TROUPE_SANDBOX_GRACE_MS").pipe(Config.withDefault(declared.TROUPE_SANDBOX_GRACE_MS.usual)),
  stopGraceMs: Config.Int("TROUPE_RUNNER_STOP_GRACE_MS").pipe(
    Config.withDefault(declared.TROUPE_RUNNER_STOP_GRACE_MS.usual)
  ),
  log: Config.Literals(logLevels, "TROUPE_LOG").pipe(Config.withDefault(declared.TROUPE_LOG.usual))
})

/**
 * The command line wins over the environment. Secrets in the environment are taken, and taken out of it at once, so that
 * nothing that this process starts can read them there.
 */
export const load = Effect.fnUntraced(function* (flags: RunnerFlags) {
  const variables = { ...process.env }
  for (const name of secretsOf("runner")) {
    delete process.env[name]
    if (variables[name] === undefined) continue
    const prefer = name === "TROUPE_RUNNER_TOKEN" ? "--token-file or --token-fd" : "--secrets-fd"
    yield* Effect.logWarning(
      `${name} is in the environment, where other processes of this user can read it: prefer ${prefer}`
    )
  }
  Object.assign(variables, flags.secretsFd === null ? {} : yield* readSecrets(flags.secretsFd))
  const from = yield* environment
    .parse(ConfigProvider.fromEnv({ env: variables as Record<string, string> }))
    .pipe(Effect.mapError((error) => invalid("The environment", error.message)))
  const servers = flags.servers.length > 0 ? flags.servers : from.servers
  for (const server of servers) {
    if (!/^https?:$/.test(URL.parse(server)?.protocol ?? "")) {
      return yield* invalid(`The server ${server}`, "it is no http or https address")
    }
  }
  if (servers.length === 0) return yield* invalid("The server", "give it with --server or TROUPE_SERVER_URL")
  const attempts = flags.capacity ?? from.capacity ?? Math.max(4, availableParallelism() * 4)
  if (!Number.isSafeInteger(attempts) || attempts < 1) {
    return yield* invalid("The capacity", "it is no whole number of at least 1")
  }
  const token = yield* readToken(flags)
  yield* hostSecrets(from.home)
  const tracing = tracingConfig(variables)
  if (Result.isFailure(tracing)) return yield* invalid("OpenTelemetry", tracing.failure)
  const config: RunnerConfig = {
    home: resolve(from.home),
    state: resolve(flags.state ?? join(from.home, "runner")),
    servers: servers.map((server) => server.replace(/\/+$/, "")),
    token: token ?? from.token,
    name: flags.name ?? from.name ?? hostname(),
    labels: [...new Set(flags.labels.length > 0 ? flags.labels : from.labels)],
    capacity: { attempts, sessions: attempts * 8 },
    roots: (flags.roots.length > 0 ? flags.roots : from.roots).map((root) => resolve(root)),
    sandbox: flags.sandbox ?? from.sandbox,
    docker: from.docker,
    backends: from.backends,
    profiles: from.profiles === null ? null : resolve(from.profiles),
    managers: yield* managers(from.home),
    hostVariables: Object.fromEntries(
      from.hostVariables.flatMap((name) => (variables[name] === undefined ? [] : [[name, variables[name]]]))
    ),
    alsoAllowed: from.alsoAllowed,
    models: yield* models(variables, from.home),
    tavilyKey: variables.TAVILY_API_KEY === undefined ? null : Redacted.make(variables.TAVILY_API_KEY),
    journal: { ...defaultSizes, totalBytes: from.journalBytes, attemptBytes: from.attemptJournalBytes },
    contactLeaseMs: from.contactLeaseMs,
    graceMs: from.graceMs,
    stopGraceMs: from.stopGraceMs,
    tracing: tracing.success,
    log: from.log
  }
  return config
})

/** What the home's `models.json` says goes before what the usual variables name. */
const models = (variables: Readonly<Record<string, string | undefined>>, home: string) =>
  Effect.try({
    try: (): ModelsConfig => {
      const file = join(home, "models.json")
      const written = existsSync(file) ? readModelsFile(file) : { providers: [] }
      const taken = new Set(written.providers.map(({ name }) => name))
      const found = fromEnvironment(variables).filter(({ name }) => !taken.has(name))
      return { ...written, providers: [...written.providers, ...found] }
    },
    catch: (cause) => invalid("The configuration of models", errorText(cause))
  })

const managers = (home: string) =>
  Effect.try({
    try: () => {
      const file = join(home, "packages.json")
      return existsSync(file) ? readManagersFile(file) : {}
    },
    catch: (cause) => invalid("The configuration of package managers (packages.json)", errorText(cause))
  })

/** Looked at when the runner starts, so that its owner hears at once what is wrong with it. */
const hostSecrets = (home: string) =>
  Effect.try({
    try: () => void readHostSecrets(home),
    catch: (cause) => invalid("The secrets of this host (secrets.json)", errorText(cause))
  })

const decodeSecrets = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Record(Schema.String, Schema.String)))

const readSecrets = (descriptor: number) =>
  Effect.try({
    try: () => decodeSecrets(readFileSync(descriptor, "utf8")),
    // The parser's own words could quote a key.
    catch: () => invalid(`Descriptor ${descriptor}`, "it holds no JSON object of texts")
  })

/** From an inherited pipe, or from a file that nobody else may read. */
const readToken = Effect.fnUntraced(function* ({ tokenFd, tokenFile }: RunnerFlags) {
  if (tokenFd === null && tokenFile === null) return null
  const what = tokenFile ?? `Descriptor ${tokenFd}`
  if (tokenFile !== null && !existsSync(tokenFile)) return yield* invalid(what, "there is no such file")
  const text = yield* Effect.try({
    try: () => {
      const { open, text } = ownFile(tokenFile ?? tokenFd!)
      return open ? null : text.trim()
    },
    catch: (cause) => invalid(what, errorText(cause))
  })
  if (text === null) return yield* invalid(what, "others may read it: chmod 600 it, and make a new token")
  if (text === "") return yield* invalid(what, "it is empty")
  return Redacted.make(text)
})
