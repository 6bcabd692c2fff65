import type { CallToolResult, GetPromptResult, ReadResourceResult } from "@modelcontextprotocol/client"
import type { JsonObject } from "@troupe/domain/Json"
import { Clock, Effect, Exit, Scope, Semaphore } from "effect"
import type { Outbound } from "../egress/Outbound.ts"
import type { TrustStore } from "../egress/TrustStore.ts"
import { connect, type ConnectionOptions, type McpConnection } from "./McpConnection.ts"
import { McpError } from "./McpError.ts"
import { mcpLimits } from "./limits.ts"
import {
  listPrompts,
  listResources,
  listTools,
  type McpListedPrompt,
  type McpListedResource,
  type McpListing
} from "./McpListing.ts"
import { McpLog } from "./McpLog.ts"
import { type McpPeople, OpenCalls } from "./McpPeople.ts"
import { isAllowed, type McpServerConfig } from "./McpServerConfig.ts"
import { Patience } from "./Patience.ts"

export interface McpServerOptions extends Pick<ConnectionOptions, "config" | "exec" | "credentials"> {
  /** Takes known secrets out of what goes to the log, and into errors. */
  readonly scrub: (text: string) => string
}

export interface McpCall {
  readonly tool: string
  readonly input: JsonObject
  /** As the server listed it: newer servers want some arguments in headers. */
  readonly inputSchema: JsonObject
  readonly people: McpPeople
}

/** One MCP server of a session, connected when it is first needed, and again after it was lost. */
export interface McpServer {
  readonly config: McpServerConfig
  /** The server's tools, asked for now. */
  readonly list: Effect.Effect<McpListing, McpError>
  /** Whether a listing is still what the server last said it has. */
  readonly isCurrent: () => boolean
  readonly call: (call: McpCall) => Effect.Effect<CallToolResult, McpError>
  readonly listResources: Effect.Effect<ReadonlyArray<McpListedResource>, McpError>
  readonly listPrompts: Effect.Effect<ReadonlyArray<McpListedPrompt>, McpError>
  readonly readResource: (uri: string, people: McpPeople) => Effect.Effect<ReadResourceResult, McpError>
  readonly getPrompt: (
    name: string,
    input: Readonly<Record<string, string>>,
    people: McpPeople
  ) => Effect.Effect<GetPromptResult, McpError>
}

interface Live {
  readonly connection: McpConnection
  readonly close: Effect.Effect<void>
}

/** The server for as long as the scope is open. Nothing is connected yet. */
export const makeMcpServer = Effect.fnUntraced(function* (
  options: McpServerOptions
): Effect.fn.Return<McpServer, never, Scope.Scope | Outbound | TrustStore> {
  const { config } = options
  const context = yield* Effect.context<Scope.Scope | Outbound | TrustStore>()
  const scope = yield* Effect.scope
  const fork = Effect.runForkWith(context)
  const log = new McpLog(config.name, (effect) => void fork(effect), options.scrub)
  const calls = new OpenCalls()
  const one = Semaphore.makeUnsafe(1)
  let live: Live | null = null
  let isOver = false
  yield* Effect.addFinalizer(() => Effect.sync(() => void (isOver = true)))
  const fail = (reason: McpError["reason"], detail: string) =>
    new McpError({ server: config.name, reason, detail, status: null })

  const dial = Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const own = yield* Scope.fork(scope)
      const late = () => fail("timed_out", `no answer in ${mcpLimits.connectMs} ms`)
      const made = yield* connect({ ...options, calls, log }).pipe(
        Effect.timeoutOrElse({ duration: mcpLimits.connectMs, orElse: late }),
        Scope.provide(own),
        restore,
        Effect.exit
      )
      if (Exit.isSuccess(made)) {
        const begun: Live = { connection: made.value, close: Scope.close(own, Exit.void) }
        live = begun
        return begun
      }
      yield* Scope.close(own, made)
      return yield* Effect.failCause(made.cause)
    })
  )

  const connected: Effect.Effect<Live, McpError> = one
    .withPermits(1)(
      Effect.suspend((): Effect.Effect<Live, McpError, Scope.Scope | Outbound | TrustStore> => {
        if (isOver) return fail("closed", "the session's connections have been ended")
        if (live?.connection.isOpen() === true) return Effect.succeed(live)
        const close = live?.close ?? Effect.void
        live = null
        return Effect.andThen(close, dial)
      })
    )
    .pipe(Effect.provide(context))

  const lose = (lost: Live) =>
    one.withPermits(1)(
      Effect.suspend(() => {
        if (live !== lost) return Effect.void
        live = null
        return lost.close
      })
    )

  /** A server that has forgotten the session did nothing, so that the same may be asked of a new one, once. */
  const use = <A>(ask: (connection: McpConnection) => Effect.Effect<A, McpError>): Effect.Effect<A, McpError> =>
    Effect.flatMap(connected, (first) =>
      ask(first.connection).pipe(
        Effect.catchIf(
          ({ reason }) => reason === "session",
          () =>
            lose(first).pipe(
              Effect.andThen(connected),
              Effect.flatMap(({ connection }) => ask(connection))
            )
        )
      )
    )

  /** Within the server's patience, which signs of progress renew. Who stops waiting tells the server so. */
  const patiently = Effect.fnUntraced(function* <A>(
    connection: McpConnection,
    people: McpPeople,
    ask: (options: ReturnType<typeof requestOptions>) => Promise<A>
  ) {
    const clock = yield* Clock.Clock
    const patience = new Patience(config.timeoutMs, clock.currentTimeMillisUnsafe())
    const answered = Effect.tryPromise({
      try: (signal) => ask(requestOptions(signal, () => patience.renew(clock.currentTimeMillisUnsafe()))),
      catch: connection.error
    })
    const late = Effect.flatMap(patience.ended, () =>
      fail("timed_out", `no answer and no progress for ${config.timeoutMs} ms`)
    )
    return yield* calls.during({ people, patience }, Effect.raceFirst(answered, late))
  })

  return {
    config,
    list: use((connection) => listTools(connection, config)),
    listResources: use(listResources),
    listPrompts: use(listPrompts),
    isCurrent: () => live?.connection.isOpen() === true && !live.connection.changed(),
    call: Effect.fn("McpServer.call")(function* ({ input, inputSchema, people, tool }: McpCall) {
      if (!isAllowed(config, tool)) {
        return yield* fail("refused", `the tool ${tool} is not among those that are allowed`)
      }
      const toolDefinition = { name: tool, inputSchema: inputSchema as { type: "object" } }
      return yield* use((connection) =>
        patiently(connection, people, (request) =>
          connection.client.callTool({ name: tool, arguments: input }, { ...request, toolDefinition })
        )
      )
    }),
    readResource: Effect.fn("McpServer.readResource")((uri: string, people: McpPeople) =>
      use((connection) =>
        patiently(connection, people, (request) =>
          connection.client.readResource({ uri }, { ...request, cacheMode: "bypass" })
        )
      )
    ),
    getPrompt: Effect.fn("McpServer.getPrompt")(
      (name: string, input: Readonly<Record<string, string>>, people: McpPeople) =>
        use((connection) =>
          patiently(connection, people, (request) =>
            connection.client.getPrompt({ name, arguments: { ...input } }, request)
          )
        )
    )
  }
})

/** The SDK's own timeout would not know of questions that wait for a person, so it is the last resort. */
const requestOptions = (signal: AbortSignal, renew: () => void) => ({
  signal,
  timeout: mcpLimits.callMs,
  onprogress: renew
})
