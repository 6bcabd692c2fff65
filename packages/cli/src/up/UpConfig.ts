import { type Variable, variableNames, variables } from "@troupe/domain/Variables"
import { Redacted, Schema } from "effect"
import { createHash } from "node:crypto"
import { existsSync, readFileSync } from "node:fs"
import { homedir } from "node:os"
import { join, resolve } from "node:path"

/** Everything the all-in-one start is told from outside. */
export interface UpConfig {
  readonly home: string
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  /** Null: the embedded Postgres. */
  readonly databaseUrl: Redacted.Redacted | null
  /** A runner knows one database, so each database has a runner's state of its own. */
  readonly runnerState: string
  readonly runnerStopGraceMs: number
  /** Null: the one that the first start made. */
  readonly runnerToken: Redacted.Redacted | null
  readonly apiKey: Redacted.Redacted | null
  /** What each of the processes is handed: variables in its environment, and secrets through a pipe. */
  readonly node: Handed
  readonly runner: Handed
  readonly postgres: Handed
}

export interface Handed {
  readonly environment: Variables
  readonly secrets: Redacted.Redacted<Variables>
}

export type Variables = Readonly<Record<string, string>>

export class UpConfigInvalid extends Schema.TaggedError<UpConfigInvalid>()("UpConfigInvalid", {
  what: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.what} can't be used: ${this.detail}.`
  }
}

/** What any program may need to find its way on this host. */
const common =
  /^(?:PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TZ|TMPDIR|XDG_RUNTIME_DIR|NODE_COMPILE_CACHE|NODE_EXTRA_CA_CERTS|NODE_USE_ENV_PROXY|SSL_CERT_(?:FILE|DIR))$/
const proxies = /^(?:https?|no|all)_proxy$/i
const settings = /^(?:TROUPE|OTEL)_/
const telemetry = /^OTEL_/
const looksSecret = /KEY|TOKEN|SECRET|PASSWORD|HEADERS/
/** Of models and of search: for the runner's eyes. */
const models = /^(?:OPENAI|ANTHROPIC|AZURE_OPENAI|TAVILY)_/
const databases = /^DATABASE_(?:OWNER_)?URL$/
/** Said to each process by its starter. */
const ours = /^TROUPE_(?:HOME|HOST|PORT|SERVER_URL|RUNNER_TOKEN)$/

const stopGrace = "TROUPE_RUNNER_STOP_GRACE_MS"

const pick = (from: Variables, wanted: (name: string) => boolean): Variables =>
  Object.fromEntries(Object.entries(from).filter(([name]) => wanted(name)))

export const homeOf = (environment: NodeJS.ProcessEnv = process.env): string =>
  resolve(environment.TROUPE_HOME || join(homedir(), ".troupe"))

/** The environment wins over `config.json` of the home, which uses the same names. */
export const load = (environment: NodeJS.ProcessEnv = process.env): UpConfig => {
  const home = homeOf(environment)
  const given: Variables = { ...readFile(fileOf(home)), ...defined(environment) }
  const value = (name: string) => (given[name] === undefined || given[name] === "" ? undefined : given[name])
  const secret = (name: string) => {
    const found = value(name)
    return found === undefined ? null : Redacted.make(found)
  }
  const database = value("DATABASE_URL")
  const plain = pick(given, (name) => settings.test(name) && !looksSecret.test(name) && !ours.test(name))
  const base = { ...pick(given, (name) => common.test(name)), TROUPE_HOME: home }
  const hostVariables = new Set((value("TROUPE_RUNNER_HOST_VARIABLES") ?? "").split(",").map((name) => name.trim()))
  return {
    home,
    host: value("TROUPE_HOST") ?? variables.TROUPE_HOST.usual,
    port: wholeNumber("TROUPE_PORT", value("TROUPE_PORT") ?? String(variables.TROUPE_PORT.usual), 65_535),
    databaseUrl: secret("DATABASE_URL"),
    runnerState: join(home, database === undefined ? "runner" : `runner-${databaseName(database)}`),
    runnerStopGraceMs: wholeNumber(stopGrace, value(stopGrace) ?? String(variables[stopGrace].usual)),
    runnerToken: secretOfLength("TROUPE_RUNNER_TOKEN", secret("TROUPE_RUNNER_TOKEN")),
    apiKey: secretOfLength("TROUPE_API_KEY", secret("TROUPE_API_KEY")),
    postgres: { environment: base, secrets: Redacted.make({}) },
    node: {
      environment: { ...base, ...pick(plain, (name) => !name.startsWith("TROUPE_RUNNER_")) },
      secrets: Redacted.make(
        pick(
          given,
          (name) => databases.test(name) || (settings.test(name) && looksSecret.test(name) && !ours.test(name))
        )
      )
    },
    runner: {
      environment: { ...base, ...pick(given, (name) => proxies.test(name)), ...plain },
      secrets: Redacted.make(
        pick(
          given,
          (name) => models.test(name) || hostVariables.has(name) || (telemetry.test(name) && looksSecret.test(name))
        )
      )
    }
  }
}

/** One variable, as a start from this shell would use it. */
export interface Told {
  readonly name: string
  readonly says: string
  /** Null: nothing. What is secret is told of as `set`. */
  readonly value: string | null
  readonly source: "environment" | "config.json" | "default"
}

/** What is no secret by its name may hold one all the same. */
const hasPassword = (text: string): boolean => {
  const url = URL.parse(text)
  return url !== null && (url.password !== "" || url.username !== "")
}

/** Everything that can be said from outside, and who says it. */
export const tellings = (environment: NodeJS.ProcessEnv = process.env): ReadonlyArray<Told> => {
  const file = readFile(fileOf(homeOf(environment)))
  return variableNames.map((name) => {
    const { isOfShell, isSecret, says, usual }: Variable = variables[name]
    const found = environment[name] ?? (isOfShell === true ? undefined : file[name])
    // One that is empty says nothing, and hides what the file says.
    if (found === undefined || found === "") {
      return { name, says, value: usual === null ? null : String(usual), source: "default" }
    }
    const isHidden = isSecret === true || looksSecret.test(name) || hasPassword(found)
    const source = environment[name] === undefined ? "config.json" : "environment"
    return { name, says, value: isHidden ? "set" : found, source }
  })
}

const fileOf = (home: string) => join(home, "config.json")

const defined = (environment: NodeJS.ProcessEnv): Variables =>
  Object.fromEntries(Object.entries(environment).flatMap(([name, text]) => (text === undefined ? [] : [[name, text]])))

const readFile = (file: string): Variables => {
  if (!existsSync(file)) return {}
  const invalid = (detail: string) => new UpConfigInvalid({ what: file, detail })
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, "utf8"))
  } catch (cause) {
    // The parser's own words could quote a key.
    throw invalid(cause instanceof SyntaxError ? "it is no JSON" : (cause as Error).message)
  }
  if (typeof content !== "object" || content === null || Array.isArray(content)) throw invalid("it is no JSON object")
  return Object.fromEntries(
    Object.entries(content).map(([name, found]) => {
      if (!["string", "number", "boolean"].includes(typeof found)) throw invalid(`${name} is no text`)
      return [name, String(found)]
    })
  )
}

const wholeNumber = (what: string, text: string, most = Number.MAX_SAFE_INTEGER): number => {
  const found = /^\d+$/.test(text) ? Number(text) : NaN
  if (found <= most) return found
  throw new UpConfigInvalid({ what, detail: `${JSON.stringify(text)} is no whole number from 0 to ${most}` })
}

const shortestSecret = 32

/** Short ones could be guessed: nothing slows that down. */
const secretOfLength = (what: string, secret: Redacted.Redacted | null): Redacted.Redacted | null => {
  if (secret === null || Redacted.value(secret).length >= shortestSecret) return secret
  throw new UpConfigInvalid({ what, detail: `it has fewer than ${shortestSecret} characters` })
}

/** A name for the database, without what opens it. */
const databaseName = (url: string): string => {
  const parsed = URL.parse(url)
  if (parsed === null || !/^postgres(?:ql)?:$/.test(parsed.protocol)) {
    throw new UpConfigInvalid({ what: "DATABASE_URL", detail: "it is no postgres:// address" })
  }
  const { host, pathname, searchParams } = parsed
  const where = `${searchParams.get("host") ?? host}${pathname}`
  return createHash("sha256").update(where).digest("hex").slice(0, 12)
}
