import {
  Client,
  SdkError,
  SdkErrorCode,
  SSEClientTransport,
  StreamableHTTPClientTransport,
  type Transport
} from "@modelcontextprotocol/client"
import type { JsonObject } from "@troupe/domain/Json"
import { Effect, Exit, Result, Scope } from "effect"
import type { Outbound } from "../egress/Outbound.ts"
import type { TrustStore } from "../egress/TrustStore.ts"
import type { ToolPlace } from "../tools/ToolPlace.ts"
import { authorizedFetch, type Credentials } from "./authorizedFetch.ts"
import { mcpLimits } from "./limits.ts"
import { McpError, mcpError } from "./McpError.ts"
import type { McpLog } from "./McpLog.ts"
import { answerQuestions, capabilities, type OpenCalls } from "./McpPeople.ts"
import type { McpServerConfig, StdioServer, UrlServer } from "./McpServerConfig.ts"
import { outboundFetch } from "./outboundFetch.ts"
import { processTransport } from "./ProcessTransport.ts"

/** A server that has been said hello to. */
export interface McpConnection {
  readonly client: Client
  readonly isOpen: () => boolean
  /** Whether the server has said since that it has other tools, resources or prompts. */
  readonly changed: () => boolean
  readonly error: (cause: unknown) => McpError
}

export interface ConnectionOptions {
  readonly config: McpServerConfig
  readonly exec: ToolPlace["exec"]
  readonly credentials: Credentials
  readonly calls: OpenCalls
  readonly log: McpLog
}

/** A way to a server. The older protocol is tried with a process of its own: some end at a question they do not know. */
type Wire = "stdio" | "stdio_older" | "streamable_http" | "sse"

const wiresOf = (config: McpServerConfig): readonly [Wire, ...ReadonlyArray<Wire>] => {
  if (config.type === "stdio") return ["stdio", "stdio_older"]
  return config.transport === "auto" ? ["streamable_http", "sse"] : [config.transport]
}

/** Connects, by the newest way that the server knows. The connection belongs to the scope. */
export const connect = Effect.fnUntraced(function* (
  options: ConnectionOptions
): Effect.fn.Return<McpConnection, McpError, Scope.Scope | Outbound | TrustStore> {
  const [first, ...others] = wiresOf(options.config)
  const tried = yield* Effect.result(over(options, first))
  if (Result.isSuccess(tried)) return tried.success
  const { error, goesOn } = tried.failure
  for (const wire of goesOn ? others : []) {
    const again = yield* Effect.result(over(options, wire))
    if (Result.isSuccess(again)) return again.success
    // What was said first is about the way the server should have been reached, unless this one knows more.
    if (again.failure.error.reason === "unauthorized" || wire === "stdio_older") return yield* again.failure.error
  }
  return yield* error
})

interface Failed {
  readonly error: McpError
  /** Whether an older way may work. */
  readonly goesOn: boolean
}

interface Carrier {
  readonly transport: Transport
  /** What the server's process has said. */
  readonly said: () => string
  readonly beforeClose: Effect.Effect<void>
  /** What the server said that it wants when it refused us last. */
  readonly wants: () => JsonObject | null
}

const over = (options: ConnectionOptions, wire: Wire) =>
  Effect.gen(function* () {
    const parent = yield* Effect.scope
    const scope = yield* Scope.fork(parent)
    const opened = yield* Effect.exit(Scope.provide(open(options, wire), scope))
    if (Exit.isFailure(opened)) yield* Scope.close(scope, opened)
    return yield* opened
  })

const open = Effect.fnUntraced(function* (
  options: ConnectionOptions,
  wire: Wire
): Effect.fn.Return<McpConnection, Failed, Scope.Scope | Outbound | TrustStore> {
  const { calls, config, log } = options
  const carrier = yield* carrierOf(options, wire)
  let state: "opening" | "open" | "closed" = "opening"
  let isChanged = false
  const note = { autoRefresh: false, debounceMs: 0, onChanged: () => void (isChanged = true) }
  const client = new Client(
    { name: "troupe", version: "0.1.0" },
    {
      capabilities: capabilities(config.sampling),
      listChanged: { tools: note, resources: note, prompts: note },
      versionNegotiation: negotiation(wire)
    }
  )
  const error = (cause: unknown) => {
    const found = mcpError(config.name, cause, { clean: log.clean, hint: carrier.said() })
    const wants = carrier.wants()
    if (found.reason === "unauthorized" && wants !== null) {
      return new McpError({ ...found, wants: JSON.parse(log.clean(JSON.stringify(wants))) as JsonObject })
    }
    return state === "open" && carrier.transport.sessionId !== undefined && isForgotten(found)
      ? new McpError({ ...found, reason: "session" })
      : found
  }
  const run = Effect.runPromiseWith(yield* Effect.context())
  const { answerMs, name: server, sampling } = config
  answerQuestions(client, { server, sampling, answerMs, calls, run })
  client.setNotificationHandler("notifications/message", ({ params }) =>
    log.write(params.level, typeof params.data === "string" ? params.data : (JSON.stringify(params.data) ?? ""))
  )
  client.onclose = () => void (state = "closed")
  client.onerror = (cause) => {
    // Streams that end after their answer end with one of ours: nobody waits for it.
    if (!cause.message.startsWith("Received a response for an unknown message")) log.write("error", cause.message)
    // An event source dials again by itself, and would reach a server that has not been said hello to.
    if (wire === "sse" && state === "open") void client.close()
  }
  yield* Effect.addFinalizer(() =>
    carrier.beforeClose.pipe(
      Effect.andThen(Effect.promise(() => client.close())),
      Effect.andThen(Effect.promise(() => carrier.transport.close())),
      Effect.ignoreCause
    )
  )
  yield* Effect.tryPromise({
    try: (signal) => client.connect(carrier.transport, { timeout: mcpLimits.connectMs, signal }),
    catch: (cause): Failed => {
      const found = error(cause)
      return { error: found, goesOn: isWorthAnother(wire, found, cause) }
    }
  })
  state = "open"
  return { client, isOpen: () => state === "open", changed: () => isChanged, error }
})

const negotiation = (wire: Wire) =>
  wire === "stdio_older" || wire === "sse"
    ? ({ mode: "legacy" } as const)
    : ({ mode: "auto", ...(wire === "stdio" ? { probe: { timeoutMs: mcpLimits.probeMs } } : {}) } as const)

/** The contract says 404; some say 400, and that it is about the session. */
const isForgotten = ({ detail, status }: McpError): boolean =>
  status === 404 || (status === 400 && /session/i.test(detail))

const otherwise: ReadonlySet<number> = new Set([401, 403, 407, 408, 429])

const isWorthAnother = (wire: Wire, { status }: McpError, cause: unknown): boolean =>
  wire === "stdio"
    ? cause instanceof SdkError && cause.code === SdkErrorCode.EraNegotiationFailed
    : status !== null && status >= 400 && status < 500 && !otherwise.has(status)

const carrierOf = (
  options: ConnectionOptions,
  wire: Wire
): Effect.Effect<Carrier, Failed, Scope.Scope | Outbound | TrustStore> =>
  options.config.type === "stdio" ? ofProcess(options, options.config) : ofUrl(options, options.config, wire)

const ofProcess = Effect.fnUntraced(function* ({ exec, log }: ConnectionOptions, config: StdioServer) {
  const { args, command, cwd, env } = config
  const process = yield* exec({
    command: [command, ...args],
    variables: env,
    input: true,
    ...(cwd === null ? {} : { cwd })
  }).pipe(Effect.mapError((cause): Failed => ({ error: mcpError(config.name, cause), goesOn: false })))
  const transport = yield* processTransport(process, { onLine: (line) => log.write("stderr", line) })
  return { transport, said: transport.said, beforeClose: Effect.void, wants: () => null } satisfies Carrier
})

const ofUrl = Effect.fnUntraced(function* ({ credentials }: ConnectionOptions, { url: text }: UrlServer, wire: Wire) {
  const url = new URL(text)
  url.hash = ""
  const run = Effect.runPromiseWith(yield* Effect.context())
  let refusal: JsonObject | null = null
  const fetch = authorizedFetch(yield* outboundFetch(url.origin), credentials, run, (wants) => void (refusal = wants))
  const wants = () => refusal
  const said = () => ""
  if (wire === "sse") {
    const transport = new SSEClientTransport(url, { fetch }) as Transport
    return { transport, said, wants, beforeClose: Effect.void } satisfies Carrier
  }
  const transport = new StreamableHTTPClientTransport(url, { fetch })
  const beforeClose = Effect.tryPromise(() => transport.terminateSession()).pipe(
    Effect.timeoutOption(mcpLimits.closeMs),
    Effect.ignore
  )
  return { transport: transport as Transport, said, wants, beforeClose } satisfies Carrier
})
