import { Clock, Effect, Exit, Fiber, Result, Scope } from "effect"
import type { Outbound } from "../egress/Outbound.ts"
import type { TrustStore } from "../egress/TrustStore.ts"
import type { McpError } from "./McpError.ts"
import type { McpListing } from "./McpListing.ts"
import { mcpSecretName } from "./McpSecret.ts"
import { makeMcpServer, type McpServer } from "./McpServer.ts"
import type { McpServerConfig } from "./McpServerConfig.ts"
import { failureNote } from "./failureNote.ts"
import type { McpTurn, PlatformNoted } from "./McpTurn.ts"

export interface McpTiming {
  /** How old a listing may be at the start of a turn, though the server said nothing of a change. */
  readonly refreshMs: number
  /** Before the second try of a server that failed; it doubles from there. */
  readonly backoffMs: number
  readonly backoffMsMax: number
}

interface Failure {
  readonly error: McpError
  readonly times: number
  readonly retryAt: number
  /** The newest secret by then. */
  readonly secret: string | null
}

/** One that wanted other credentials is tried again as soon as there are some. */
const waits = ({ error, retryAt, secret }: Failure, now: number, newest: string | null): boolean =>
  now < retryAt && (error.reason !== "unauthorized" || secret === newest)

/** A server of a session from turn to turn: its connection, what it listed last, and how often it has failed since. */
export class HeldServer {
  readonly server: McpServer
  readonly close: Effect.Effect<void>
  /** The newest turn: whose secrets count, and whose place. */
  turn: McpTurn
  /** Null while there is none to be had. */
  listing: McpListing | null = null
  private readonly timing: McpTiming
  private readonly scope: Scope.Scope
  private listedAt = 0
  private failure: Failure | null = null
  private underWay: Fiber.Fiber<void> | null = null
  private untold: Array<Omit<PlatformNoted, "_tag">> = []

  private constructor(server: McpServer, scope: Scope.Closeable, turn: McpTurn, timing: McpTiming) {
    this.server = server
    this.scope = scope
    this.close = Scope.close(scope, Exit.void)
    this.turn = turn
    this.timing = timing
  }

  static readonly make = Effect.fnUntraced(function* (
    config: McpServerConfig,
    turn: McpTurn,
    timing: McpTiming
  ): Effect.fn.Return<HeldServer, never, Scope.Scope | Outbound | TrustStore> {
    const scope = yield* Scope.fork(yield* Effect.scope)
    const name = mcpSecretName(config.name)
    const server = yield* makeMcpServer({
      config,
      exec: (request) => held.turn.place.exec(request),
      credentials: {
        secret: Effect.suspend(() => held.turn.secret(name)),
        refresh: Effect.suspend(() => held.turn.refresh(name))
      },
      scrub: (text) => held.turn.scrub(text)
    }).pipe(Scope.provide(scope))
    const held: HeldServer = new HeldServer(server, scope, turn, timing)
    return held
  })

  /** Sees to it that the listing is current. Whoever stops waiting for that does not end it. */
  readonly refresh: Effect.Effect<void> = Effect.suspend(() => {
    if (this.underWay !== null) return Effect.asVoid(Fiber.await(this.underWay))
    return Effect.flatMap(Effect.all([Clock.currentTimeMillis, this.secret]), ([now, secret]) => {
      if (this.failure !== null && waits(this.failure, now, secret)) return Effect.void
      const isFresh = this.listing !== null && now - this.listedAt < this.timing.refreshMs && this.server.isCurrent()
      if (isFresh) return Effect.void
      return Effect.flatMap(Effect.forkIn(this.list, this.scope), (fiber) => {
        this.underWay = fiber
        fiber.addObserver(() => void (this.underWay = null))
        return Effect.asVoid(Fiber.await(fiber))
      })
    })
  })

  private get secret(): Effect.Effect<string | null> {
    return Effect.suspend(() => this.turn.secret(mcpSecretName(this.server.config.name)))
  }

  private readonly list = Effect.suspend(() =>
    Effect.flatMap(Effect.result(this.server.list), (listed) =>
      Effect.map(Effect.all([Clock.currentTimeMillis, this.secret]), ([now, secret]) => {
        if (Result.isSuccess(listed)) this.listed(listed.success, now)
        else this.failed(listed.failure, now, secret)
      })
    )
  )

  private listed(listing: McpListing, now: number): void {
    this.listing = listing
    this.listedAt = now
    this.failure = null
    const { name: server } = this.server.config
    const { problems } = listing
    if (problems.length === 0) return
    this.untold.push({
      code: "mcp_tools_left_out",
      message: `The MCP server ${server} lists ${problems.length === 1 ? "a tool" : "tools"} that can't be used: ${problems[0]!.detail}`,
      details: { server, problems: problems.slice(0, problemsTold).map(({ detail }) => detail) }
    })
  }

  private failed(error: McpError, now: number, secret: string | null): void {
    const times = (this.failure?.times ?? 0) + 1
    const retryAfterMs = Math.min(this.timing.backoffMs * 2 ** (times - 1), this.timing.backoffMsMax)
    this.failure = { error, times, retryAt: now + retryAfterMs, secret }
    this.listing = null
    this.untold.push(failureNote(this.server.config, error, { failures: times, retryAfterMs }))
  }

  /** What people are to be told, once. A server that has not answered yet comes with the next turn. */
  news(): ReadonlyArray<Omit<PlatformNoted, "_tag">> {
    const told = this.untold
    this.untold = []
    if (this.underWay === null || this.listing !== null) return told
    const { name: server } = this.server.config
    const message = `The MCP server ${server} has not answered yet: its tools come with the next turn`
    return [...told, { code: "mcp_connection_failed", message, details: { server, reason: "late" } }]
  }
}

const problemsTold = 20
