import { Limits } from "./Limits.ts"

/** Who reads a variable: commands in a shell, a node, a runner. */
type Reader = "shell" | "node" | "runner"

/** Something that our processes are told from outside, by the environment or by `config.json` of the home. */
export interface Variable {
  readonly of: ReadonlyArray<Reader>
  /** What holds where nobody says it; null: nothing. */
  readonly usual: string | number | boolean | null
  readonly says: string
  /** Shown nowhere. */
  readonly isSecret?: true
  /** Counts in the environment alone: `config.json` can't say it. */
  readonly isOfShell?: true
}

const [shell, node, runner] = [["shell"], ["node"], ["runner"]] as const
const both = ["node", "runner"] as const

/** All of them. A process reads no other; what it reads is declared here, with what holds where it is not said. */
export const variables = {
  TROUPE_HOME: { of: ["shell", ...both], usual: "~/.troupe", says: "where all state is", isOfShell: true },
  TROUPE_HOST: { of: node, usual: "127.0.0.1", says: "the address that the node listens at" },
  TROUPE_PORT: { of: node, usual: 4777, says: "the port that the node listens at; 0: any that is free" },
  TROUPE_API_KEY: {
    of: ["shell", "node"],
    usual: null,
    says: "the first key of the first workspace, and the one that commands come with; else made and kept",
    isSecret: true
  },
  TROUPE_SERVER: {
    of: shell,
    usual: null,
    says: "the server that commands talk to; else the home's own",
    isOfShell: true
  },
  TROUPE_SERVER_URL: {
    of: ["shell", "runner"],
    usual: null,
    says: "the server of a runner and of programs",
    isOfShell: true
  },
  TROUPE_PUBLIC_URL: { of: node, usual: null, says: "the address by which the node is reached from outside" },
  TROUPE_CORS_ORIGINS: { of: node, usual: null, says: "origins whose pages may call the API" },
  TROUPE_REQUESTS_PER_MINUTE: { of: node, usual: 600_000, says: "requests that one token may send; 0: any number" },
  TROUPE_CONSOLE_DIRECTORY: {
    of: node,
    usual: null,
    says: "where the console was built to; else the one of this copy"
  },
  DATABASE_URL: { of: node, usual: null, says: "the database; else the embedded Postgres", isSecret: true },
  DATABASE_OWNER_URL: { of: node, usual: null, says: "the same as its owner, for migrations", isSecret: true },
  TROUPE_NODE_ADDRESS: { of: node, usual: "127.0.0.1:0", says: "the node's address for other nodes" },
  TROUPE_MASTER_KEY: { of: node, usual: null, says: "seals stored secrets; else made and kept", isSecret: true },
  TROUPE_POLICIES: { of: node, usual: null, says: "policies that nobody can go beyond, as JSON" },
  TROUPE_COMMAND_BYTES: { of: node, usual: Limits.commandBytesMax, says: "the largest command to a session" },
  TROUPE_KEEP_DELETED_DAYS: { of: node, usual: 30, says: "how long the log of a deleted session is kept" },
  TROUPE_FILES: { of: node, usual: null, says: "filesystem, postgres or s3; else where the database is" },
  TROUPE_FILES_DIRECTORY: { of: node, usual: null, says: "the directory of files; else files in the home" },
  TROUPE_FILE_MAX_MB: { of: node, usual: 500, says: "the largest file" },
  TROUPE_S3_ENDPOINT: { of: node, usual: null, says: "the address of the object store" },
  TROUPE_S3_REGION: { of: node, usual: "us-east-1", says: "its region" },
  TROUPE_S3_BUCKET: { of: node, usual: null, says: "the bucket of files" },
  TROUPE_S3_PREFIX: { of: node, usual: null, says: "what every name in the bucket begins with" },
  TROUPE_S3_ACCESS_KEY_ID: { of: node, usual: null, says: "who the node is there", isSecret: true },
  TROUPE_S3_SECRET_ACCESS_KEY: { of: node, usual: null, says: "the key to it", isSecret: true },
  TROUPE_RUNNER_TOKEN: { of: both, usual: null, says: "what a runner registers with; else made", isSecret: true },
  TROUPE_RUNNER_NAME: { of: runner, usual: null, says: "the runner's name; else this host's" },
  TROUPE_RUNNER_LABELS: { of: runner, usual: null, says: "what environments may ask of a runner" },
  TROUPE_RUNNER_CAPACITY: { of: runner, usual: null, says: "turns at a time; else 4 for each core" },
  TROUPE_RUNNER_ROOTS: { of: runner, usual: null, says: "directories of this host that people may choose from" },
  TROUPE_RUNNER_HOST_VARIABLES: { of: runner, usual: null, says: "variables of this host for environments" },
  TROUPE_RUNNER_JOURNAL_BYTES: { of: runner, usual: 2_147_483_648, says: "the runner's journal at most" },
  TROUPE_RUNNER_ATTEMPT_JOURNAL_BYTES: { of: runner, usual: 268_435_456, says: "the part of one turn at most" },
  TROUPE_RUNNER_STOP_GRACE_MS: { of: runner, usual: 30_000, says: "how long turns go on when a runner is stopped" },
  TROUPE_CONTACT_LEASE_MS: {
    of: both,
    usual: Limits.contactLeaseMs,
    says: "how long a runner works without hearing from a node"
  },
  TROUPE_SANDBOX: { of: runner, usual: null, says: "where tools run; else in the best there is" },
  TROUPE_SANDBOX_GRACE_MS: { of: runner, usual: 60_000, says: "how long a sandbox stays as it is after a turn" },
  TROUPE_SANDBOX_MODULES: { of: runner, usual: null, says: "modules with backends of one's own" },
  TROUPE_DOCKER_SOCKET: { of: runner, usual: "/var/run/docker.sock", says: "where Docker listens" },
  TROUPE_DOCKER_IMAGE: { of: runner, usual: "troupe-sandbox:1", says: "the image of sandboxes" },
  TROUPE_DOCKER_RUNTIME: { of: runner, usual: null, says: "the runtime of containers; else Docker's own" },
  TROUPE_DOCKER_BUILDS: { of: runner, usual: true, says: "whether images are made of environments' Dockerfiles" },
  TROUPE_PROFILES: { of: runner, usual: null, says: "a directory with preparation profiles of one's own" },
  TROUPE_EGRESS_ALLOW: {
    of: both,
    usual: null,
    says: "hosts and ports that may be reached though they are not public"
  },
  OPENAI_API_KEY: { of: runner, usual: null, says: "the key of OpenAI's models", isSecret: true },
  OPENAI_BASE_URL: { of: runner, usual: null, says: "another server that speaks like OpenAI's" },
  OPENAI_API_VERSION: { of: runner, usual: null, says: "the version of Azure's interface, by its older name" },
  ANTHROPIC_API_KEY: { of: runner, usual: null, says: "the key of Anthropic's models", isSecret: true },
  ANTHROPIC_BASE_URL: { of: runner, usual: null, says: "another server that speaks like Anthropic's" },
  AZURE_OPENAI_ENDPOINT: { of: runner, usual: null, says: "the address of OpenAI's models on Azure" },
  AZURE_OPENAI_API_KEY: { of: runner, usual: null, says: "the key to them", isSecret: true },
  AZURE_OPENAI_AD_TOKEN: { of: runner, usual: null, says: "a token of Azure's directory instead", isSecret: true },
  AZURE_OPENAI_API_VERSION: { of: runner, usual: "2025-04-01-preview", says: "the version of Azure's interface" },
  TAVILY_API_KEY: { of: runner, usual: null, says: "the key of web search", isSecret: true },
  TROUPE_LOG: { of: both, usual: "info", says: "how much is logged: trace, debug, info, warn or error" },
  OTEL_SDK_DISABLED: { of: both, usual: null, says: "true: nothing is traced" },
  OTEL_TRACES_EXPORTER: { of: both, usual: "otlp", says: "none: nothing is traced" },
  OTEL_EXPORTER_OTLP_ENDPOINT: { of: both, usual: null, says: "the collector of traces" },
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: { of: both, usual: null, says: "the same, with its whole path" },
  OTEL_EXPORTER_OTLP_HEADERS: { of: both, usual: null, says: "headers for the collector", isSecret: true },
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: { of: both, usual: null, says: "the same, for traces", isSecret: true },
  OTEL_EXPORTER_OTLP_PROTOCOL: { of: both, usual: "http/json", says: "http/json or http/protobuf" },
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: { of: both, usual: null, says: "the same, for traces" },
  OTEL_TRACES_SAMPLER: { of: both, usual: null, says: "which traces are kept; else all" },
  OTEL_TRACES_SAMPLER_ARG: { of: both, usual: 1, says: "the share of traces that is kept" },
  OTEL_BSP_SCHEDULE_DELAY: { of: both, usual: 5_000, says: "milliseconds between deliveries" },
  OTEL_SERVICE_NAME: { of: both, usual: null, says: "what traces call the process; else what it is" },
  OTEL_RESOURCE_ATTRIBUTES: { of: both, usual: null, says: "what else traces say of it" },
  OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: {
    of: both,
    usual: null,
    says: "true: traces hold what models are told and say"
  }
} as const satisfies Record<string, Variable>

export type VariableName = keyof typeof variables

export const variableNames = Object.keys(variables) as ReadonlyArray<VariableName>

/** Those that may be shown nowhere, of all that somebody reads. */
export const secretsOf = (reader: Reader): ReadonlyArray<VariableName> =>
  variableNames.filter((name) => {
    const { isSecret, of }: Variable = variables[name]
    return isSecret === true && of.includes(reader)
  })
