import { canonical } from "@troupe/domain/CanonicalJson"
import type { SessionId } from "@troupe/domain/Ids"
import { toolEntries, type ToolProblem } from "@troupe/domain/tools/Toolset"
import { Context, Effect, Exit, Fiber, Layer, Scope, Semaphore } from "effect"
import { Outbound } from "../egress/Outbound.ts"
import { TrustStore } from "../egress/TrustStore.ts"
import type { Tool } from "../tools/Tool.ts"
import { tellingOf } from "./failureNote.ts"
import { HeldServer, type McpTiming } from "./HeldServer.ts"
import type { McpToolset } from "./McpOffer.ts"
import { type McpServerConfig, mcpServerConfigs } from "./McpServerConfig.ts"
import { mcpTools } from "./McpTools.ts"
import type { McpTurn, McpTurnTools, PlatformNoted } from "./McpTurn.ts"

const usual: McpTiming & { readonly startMs: number; readonly idleMs: number } = {
  startMs: 5_000,
  idleMs: 900_000,
  refreshMs: 600_000,
  backoffMs: 5_000,
  backoffMsMax: 600_000
}

/**
 * The MCP servers of sessions on this runner. Connections last from turn to turn; what a server offers is frozen for a turn.
 * A server that fails is told of, and tried again at a later turn: the session goes on without its tools.
 */
export class McpSessions extends Context.Service<
  McpSessions,
  {
    /** The tools of a turn's servers, after at most a few seconds. The session is in use while the scope is open. */
    readonly open: (turn: McpTurn) => Effect.Effect<McpTurnTools, never, Scope.Scope>
    /** Ends every connection of a session: its place is gone. */
    readonly drop: (sessionId: SessionId) => Effect.Effect<void>
  }
>()("runner/mcp/McpSessions") {
  static readonly layer = (timing: Partial<typeof usual> = {}) =>
    Layer.effect(
      McpSessions,
      Effect.suspend(() => make({ ...usual, ...timing }))
    )
}

/** Said once, and not again at every turn. */
const lasting: ReadonlySet<string> = new Set(["mcp_server_invalid", "mcp_tools_left_out"])

interface Session {
  readonly scope: Scope.Closeable
  /** By what they are configured to be: another configuration is another server. */
  readonly servers: Map<string, HeldServer>
  readonly told: Set<string>
  readonly one: Semaphore.Semaphore
  users: number
  ending: Fiber.Fiber<void> | null
}

interface Wanted {
  readonly toolset: McpToolset
  readonly held: HeldServer
}

const make = Effect.fnUntraced(function* (timing: typeof usual) {
  const parent = yield* Effect.scope
  const context = yield* Effect.context<Outbound | TrustStore>()
  const sessions = new Map<SessionId, Session>()
  const door = Semaphore.makeUnsafe(1)

  const end = (sessionId: SessionId, session: Session) =>
    Effect.suspend(() => {
      if (sessions.get(sessionId) === session) sessions.delete(sessionId)
      return Scope.close(session.scope, Exit.void)
    })

  const enter = Effect.fnUntraced(
    function* (sessionId: SessionId) {
      const known = sessions.get(sessionId)
      const session = known ?? {
        scope: yield* Scope.fork(parent),
        servers: new Map(),
        told: new Set(),
        one: Semaphore.makeUnsafe(1),
        users: 0,
        ending: null
      }
      sessions.set(sessionId, session)
      session.users++
      const { ending } = session
      session.ending = null
      if (ending !== null) yield* Fiber.interrupt(ending)
      return session
    },
    door.withPermits(1),
    Effect.uninterruptible
  )

  const leave = (sessionId: SessionId, session: Session) =>
    Effect.gen(function* () {
      if (--session.users > 0 || sessions.get(sessionId) !== session) return
      const idle = Effect.andThen(Effect.sleep(timing.idleMs), end(sessionId, session))
      session.ending = yield* Effect.forkIn(idle, parent)
    })

  /** The session's own connection to a server, made where there is none that fits. */
  const hold = Effect.fnUntraced(function* (session: Session, turn: McpTurn, config: McpServerConfig) {
    const key = canonical(config)
    const known = session.servers.get(key)
    // A process lives and dies with the place it was started in.
    if (known !== undefined && (config.type === "url" || known.turn.place === turn.place)) {
      known.turn = turn
      return known
    }
    if (known !== undefined) yield* known.close
    const made = yield* HeldServer.make(config, turn, timing).pipe(
      Scope.provide(session.scope),
      Effect.provide(context)
    )
    session.servers.set(key, made)
    return made
  })

  const letGo = Effect.fnUntraced(function* (session: Session, wanted: ReadonlyArray<Wanted>) {
    if (session.users > 1) return
    for (const [key, held] of session.servers) {
      if (wanted.some((one) => one.held === held)) continue
      session.servers.delete(key)
      yield* held.close
    }
  })

  const tell = Effect.fnUntraced(function* (session: Session, turn: McpTurn, event: Omit<PlatformNoted, "_tag">) {
    const said = canonical(event)
    if (lasting.has(event.code) && session.told.has(said)) return
    session.told.add(said)
    yield* turn.noted({ _tag: "PlatformNoted", ...event })
  })

  const open = Effect.fn("McpSessions.open")(function* (turn: McpTurn) {
    const { sessionId } = turn
    const session = yield* Effect.acquireRelease(enter(sessionId), (entered) => leave(sessionId, entered))
    const { servers, problems: wrong } = mcpServerConfigs(turn.servers)
    for (const { at, code, detail, server } of wrong) {
      yield* tell(session, turn, {
        code: "mcp_server_invalid",
        message: `The MCP server ${server ?? at} can't be used: ${detail}`,
        details: { server, at, code }
      })
    }
    const problems: Array<ToolProblem> = wrong.map(({ at, detail }) => ({ at, code: "invalid", detail }))
    const toolsets = toolEntries(turn.tools).entries.flatMap((entry) => (entry._tag === "Mcp" ? [entry] : []))
    const wanted = yield* session.one.withPermits(1)(
      Effect.gen(function* () {
        const found: Array<Wanted> = []
        for (const toolset of toolsets) {
          const config = servers.find(({ name }) => name === toolset.server)
          if (config !== undefined) found.push({ toolset, held: yield* hold(session, turn, config) })
          else if (!wrong.some(({ server }) => server === toolset.server)) {
            problems.push({ at: toolset.server, code: "invalid", detail: `there is no MCP server ${toolset.server}` })
          }
        }
        yield* letGo(session, found)
        return found
      })
    )
    yield* Effect.forEach(wanted, ({ held }) => held.refresh, { concurrency: "unbounded", discard: true }).pipe(
      Effect.timeoutOption(timing.startMs)
    )
    const tools: Array<Tool> = []
    for (const { held, toolset } of wanted) {
      for (const event of held.news()) yield* tell(session, turn, event)
      const { listing, server } = held
      if (listing === null) {
        problems.push({ at: toolset.server, code: "invalid", detail: "it can't be reached now; its tools are missing" })
        continue
      }
      const told = tellingOf(server, (note) => tell(session, turn, note))
      const made = mcpTools({ server: told, listing, toolset, place: turn.place, people: turn.people })
      tools.push(...made.tools)
      problems.push(...made.problems)
    }
    return { tools, problems } satisfies McpTurnTools
  })

  return McpSessions.of({
    open,
    drop: (sessionId) =>
      Effect.suspend(() => {
        const session = sessions.get(sessionId)
        return session === undefined ? Effect.void : end(sessionId, session)
      })
  })
})
