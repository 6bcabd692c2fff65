import type { JsonObject } from "@troupe/domain/Json"
import { matchesWildcard } from "@troupe/domain/tools/Wildcard"
import { Result, Schema } from "effect"
import { normalHost } from "@troupe/domain/network/hosts"

/** What the contract allows an agent. */
export const serversMax = 20
const timeoutMs = { usual: 60_000, max: 3_600_000 }
/** Less than a call may take, so that the server hears in time that nobody answered. */
const answerMs = { usual: 1_800_000, max: 3_300_000 }

const Name = Schema.String.check(Schema.isPattern(/^[^\p{Cc}/]{1,255}$/u))
const Arguments = Schema.Array(Schema.String).check(Schema.isMaxLength(256))

const Options = Schema.Struct({
  /** Tools of the server that may be used at all, `*` standing for anything; all where absent. */
  allowed_tools: Schema.optionalKey(Schema.Array(Schema.String).check(Schema.isMaxLength(1_000))),
  /** How long a call may go without an answer or a sign of progress. */
  timeout_ms: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: timeoutMs.max }))),
  /** How long a person's answer is waited for. */
  answer_timeout_ms: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1_000, maximum: answerMs.max }))),
  transport: Schema.optionalKey(Schema.Literals(["auto", "streamable_http", "sse"])),
  /** Whether the server may have text written by the session's model. */
  sampling: Schema.optionalKey(Schema.Boolean),
  /** Whether what the server says of its own tools, that they only read or may be repeated, is believed. */
  trust_annotations: Schema.optionalKey(Schema.Boolean),
  /** Of the workspace's list, where the entry came from there. */
  server_id: Schema.optionalKey(Schema.String)
})

const common = { name: Name, troupe: Schema.optionalKey(Options) }
const UrlEntry = Schema.Struct({ ...common, type: Schema.Literal("url"), url: Schema.String })
const StdioEntry = Schema.Struct({
  ...common,
  type: Schema.Literal("stdio"),
  command: Schema.NonEmptyString,
  args: Schema.optionalKey(Arguments),
  env: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  cwd: Schema.optionalKey(Schema.String)
})

interface Common {
  readonly name: string
  readonly allowedTools: ReadonlyArray<string> | null
  readonly timeoutMs: number
  readonly answerMs: number
  readonly sampling: boolean
  readonly trustAnnotations: boolean
}

export interface UrlServer extends Common {
  readonly type: "url"
  readonly url: string
  readonly transport: "auto" | "streamable_http" | "sse"
  /** In the workspace's list, where people can log in to it. */
  readonly serverId: string | null
}

/** Runs inside of the session's sandbox, and sees what the session sees. */
export interface StdioServer extends Common {
  readonly type: "stdio"
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string | null
}

export type McpServerConfig = UrlServer | StdioServer

/** Why an entry gives no server. The others are there all the same. */
export interface McpConfigProblem {
  readonly at: string
  readonly server: string | null
  readonly code: "unknown_type" | "invalid" | "url" | "duplicate" | "too_many"
  readonly detail: string
}

export interface McpServerConfigs {
  readonly servers: ReadonlyArray<McpServerConfig>
  readonly problems: ReadonlyArray<McpConfigProblem>
}

/** An agent's servers, as its list says. */
export const mcpServerConfigs = (entries: ReadonlyArray<JsonObject>): McpServerConfigs => {
  const servers = new Map<string, McpServerConfig>()
  const problems: Array<McpConfigProblem> = []
  for (const [index, entry] of entries.entries()) {
    const at = `mcp_servers[${index}]`
    const named = typeof entry["name"] === "string" ? entry["name"] : null
    const problem = (code: McpConfigProblem["code"], detail: string) =>
      problems.push({ at, server: named, code, detail })
    const parsed = parse(entry)
    if (Result.isFailure(parsed)) problem(parsed.failure.code, parsed.failure.detail)
    else if (servers.has(parsed.success.name)) problem("duplicate", `there is another ${parsed.success.name} before it`)
    else if (servers.size >= serversMax) problem("too_many", `an agent has at most ${serversMax} MCP servers`)
    else servers.set(parsed.success.name, parsed.success)
  }
  return { servers: [...servers.values()], problems }
}

/** Whether a tool of this server may be used at all. */
export const isAllowed = ({ allowedTools }: McpServerConfig, tool: string): boolean =>
  allowedTools === null || allowedTools.some((pattern) => matchesWildcard(pattern, tool))

type Failure = Pick<McpConfigProblem, "code" | "detail">

const parse = (entry: JsonObject): Result.Result<McpServerConfig, Failure> => {
  switch (entry["type"]) {
    case "url":
      return Result.flatMap(decode(UrlEntry, entry), ({ name, troupe = {}, url }) => {
        const wrong = urlProblem(url)
        if (wrong !== undefined) return Result.fail({ code: "url", detail: wrong } as const)
        const { server_id: serverId = null, transport = "auto" } = troupe
        return Result.succeed({ ...commonOf(name, troupe), type: "url", url, transport, serverId } as const)
      })
    case "stdio":
      return Result.map(decode(StdioEntry, entry), ({ args = [], command, cwd, env = {}, name, troupe = {} }) => ({
        ...commonOf(name, troupe),
        type: "stdio",
        command,
        args,
        env,
        cwd: cwd ?? null
      }))
    default:
      return Result.fail({
        code: "unknown_type",
        detail: `${JSON.stringify(entry["type"]) ?? "nothing"} is not a type of MCP server`
      })
  }
}

const commonOf = (name: string, options: typeof Options.Type): Common => ({
  name,
  allowedTools: options.allowed_tools ?? null,
  timeoutMs: options.timeout_ms ?? timeoutMs.usual,
  answerMs: options.answer_timeout_ms ?? answerMs.usual,
  sampling: options.sampling ?? false,
  trustAnnotations: options.trust_annotations ?? false
})

/** URLs may hold secrets, so the sentence never quotes one. */
const urlProblem = (text: string): string | undefined => {
  const url = URL.parse(text)
  if (url === null) return "the URL can't be read"
  if (url.protocol !== "http:" && url.protocol !== "https:") return "the URL is neither http: nor https:"
  if (url.username !== "" || url.password !== "") return "the URL holds a user name; headers travel as a secret"
  return normalHost(url.hostname) === undefined ? "the URL's host can't be one" : undefined
}

const decode = <A>(schema: Schema.Codec<A, unknown>, value: unknown): Result.Result<A, Failure> =>
  Result.mapError(Schema.decodeUnknownResult(schema as Schema.Codec<A>)(value, { errors: "all" }), (issue) => ({
    code: "invalid",
    detail: String(issue).replaceAll(/\s*\n\s*/g, " ")
  }))
