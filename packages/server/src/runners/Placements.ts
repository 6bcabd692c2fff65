import { canonical } from "@troupe/domain/CanonicalJson"
import type { RunnerId, SessionId } from "@troupe/domain/Ids"
import { hostDirectoryOf } from "@troupe/domain/session/HostDirectory"
import type { Hello } from "@troupe/domain/runner/Hello"
import type { Digests } from "@troupe/domain/session/events/turns"
import type { TurnOverrides } from "@troupe/domain/session/Input"
import type { AgentSnapshot, EnvironmentSnapshot } from "@troupe/domain/session/Opening"
import { Clock, Context, Effect, Layer, Option, Schema } from "effect"
import { hash } from "node:crypto"
import type { EarlyPlaceRequest, Placed, Placement, PlaceRequest } from "../session/AttemptDriver.ts"
import * as Choosing from "./Placement.ts"
import { RunnerLinks } from "./RunnerLinks.ts"
import { type KnownRunner, RunnerRegistry } from "./RunnerRegistry.ts"
import { SessionLog } from "./SessionLog.ts"
import * as Setup from "./Setup.ts"

/** Finds runners for turns, among those that are registered now. */
export class Placements extends Context.Service<
  Placements,
  {
    readonly place: (request: PlaceRequest) => Effect.Effect<Placement>
    /** A place at the session's home, where this node holds its link and knows what the session works with. */
    readonly placeAtHome: (request: EarlyPlaceRequest) => Placed | null
    /** The attempt runs: its runner's own load counts it from here on. */
    readonly begun: (sessionId: SessionId, threadId: string) => void
  }
>()("server/Placements") {
  static readonly layer: Layer.Layer<Placements, never, RunnerRegistry | RunnerLinks | SessionLog> = Layer.effect(
    Placements,
    Effect.suspend(() => make)
  )
}

/** How long a placement counts as load where nothing was heard of its attempt. */
const reservedMs = 5_000
/** How long it is remembered since when a session waits for its home. */
const forgottenMs = 10 * 60_000

const Needs = Schema.Struct({
  backend: Schema.optionalKey(Schema.NullOr(Schema.String)),
  runnerLabels: Schema.optionalKey(Schema.Array(Schema.String))
})
const decodeNeeds = Schema.decodeUnknownOption(Needs)

const needsOf = (environment: EnvironmentSnapshot | null): Option.Option<typeof Needs.Type> =>
  environment === null ? Option.some({}) : decodeNeeds(environment.config)

const digest = (value: unknown): string => hash("sha256", canonical(value), "hex")

/** What the attempt runs under: of the agent as the session has it, and of the runner as it said itself. */
export const digestsOf = (
  agent: AgentSnapshot,
  policies: Setup.Setup["policies"],
  overrides: TurnOverrides,
  hello: Hello | null
): typeof Digests.Type => {
  const version = hello?.harnesses.find(({ name }) => name === agent.harness)?.version ?? null
  return {
    policy: digest({ policies: agent.policies, session: policies, preset: overrides.permissionPreset ?? null }),
    catalog: digest({
      tools: overrides.tools ?? agent.tools,
      mcpServers: agent.mcpServers,
      skills: agent.skills,
      multiagent: agent.multiagent
    }),
    agent: agent.digest,
    harness: version === null ? agent.harness : `${agent.harness} ${version}`,
    model: overrides.model ?? agent.model.id
  }
}

const make = Effect.gen(function* () {
  const registry = yield* RunnerRegistry
  const links = yield* RunnerLinks
  const log = yield* SessionLog
  const clock = yield* Clock.Clock
  const reserved = new Map<string, { readonly runnerId: RunnerId; readonly at: number }>()
  const waiting = new Map<SessionId, number>()

  const keyOf = (sessionId: SessionId, threadId: string) => `${sessionId} ${threadId}`

  const candidate = (now: number, runner: KnownRunner): Choosing.Candidate => {
    const { hello, labels, name, runnerId, silentMs } = runner
    const link = links.get(runnerId)
    const load = link?.generation === runner.generation ? link.load : runner.load
    let attempts = link?.generation === runner.generation ? link.followed() : load.attempts
    for (const one of reserved.values()) if (one.runnerId === runnerId && now - one.at < reservedMs) attempts++
    return {
      ...{ runnerId, name, silentMs },
      labels: [...labels, ...(hello?.labels ?? [])],
      connected: runner.node !== null && hello !== null,
      draining: runner.drained || load.draining,
      harnesses: hello?.harnesses ?? [],
      sandboxes: hello?.sandboxes ?? [],
      defaultSandbox: hello?.defaultSandbox ?? null,
      capacity: hello?.capacity ?? { attempts: 0, sessions: 0 },
      load: { attempts, sessions: load.sessions }
    }
  }

  /** Its runner's load counts it from here on, whatever that says itself. */
  const placed = (
    { overrides, sessionId, threadId }: PlaceRequest,
    setup: Setup.Setup,
    runnerId: RunnerId,
    hello: Hello | null,
    now: number
  ): Placed => {
    waiting.delete(sessionId)
    reserved.set(keyOf(sessionId, threadId), { runnerId, at: now })
    for (const [key, { at }] of reserved) if (now - at >= reservedMs) reserved.delete(key)
    return {
      _tag: "Placed",
      runnerId,
      digests: digestsOf(Setup.agentOf(setup, threadId), setup.policies, overrides, hello)
    }
  }

  const placeAtHome: Placements["Service"]["placeAtHome"] = (request) => {
    const { home, sessionId, since, version } = request
    const link = home === null ? undefined : links.get(home)
    if (link === undefined || link.drained !== false) return null
    const setup = since.reduce<Setup.Setup | null>(Setup.apply, log.known(sessionId, version))
    if (setup === null || link.identity.workspaceId !== setup.workspaceId) return null
    const needs = needsOf(setup.environment)
    if (Option.isNone(needs)) return null
    const now = clock.currentTimeMillisUnsafe()
    const { generation, hello, identity, load } = link
    const runner = { ...identity, generation, hello, load, drained: false, node: "", revoked: false, silentMs: 0 }
    const choice = Choosing.choose(wantedOf(request, setup, needs.value, now), [candidate(now, runner)])
    return choice._tag === "None" ? null : placed(request, setup, identity.runnerId, hello, now)
  }

  const wantedOf = (
    { home, sessionId, threadId }: PlaceRequest,
    setup: Setup.Setup,
    needs: typeof Needs.Type,
    now: number
  ): Choosing.Wanted => ({
    sessionId,
    labels: needs.runnerLabels ?? [],
    backend: needs.backend ?? null,
    harness: Setup.agentOf(setup, threadId).harness,
    home,
    only: hostDirectoryOf(setup.resources)?.runnerId ?? null,
    waitedMs: now - (waiting.get(sessionId) ?? now)
  })

  const decide = Effect.fnUntraced(function* (request: PlaceRequest) {
    const { sessionId, version } = request
    const setup = yield* log.setup(sessionId, version)
    const needs = needsOf(setup.environment)
    if (Option.isNone(needs))
      return { _tag: "Waiting", reason: "the environment's configuration can't be read" } as const
    const runners = (yield* registry.list(setup.workspaceId)).filter(({ revoked }) => !revoked)
    const now = clock.currentTimeMillisUnsafe()
    const choice = Choosing.choose(
      wantedOf(request, setup, needs.value, now),
      runners.map((runner) => candidate(now, runner))
    )
    if (choice._tag === "None") {
      if (choice.home && !waiting.has(sessionId)) waiting.set(sessionId, now)
      for (const [session, since] of waiting) if (now - since > forgottenMs) waiting.delete(session)
      return { _tag: "Waiting", reason: choice.reason } as const
    }
    const { runnerId } = choice.candidate
    const { hello } = runners.find((one) => one.runnerId === runnerId)!
    return placed(request, setup, runnerId, hello, now)
  })

  return Placements.of({
    place: (request) =>
      Effect.catch(decide(request), (error) =>
        Effect.as(
          Effect.logWarning("A turn could not be placed", error).pipe(
            Effect.annotateLogs({ sessionId: request.sessionId })
          ),
          {
            _tag: "Waiting" as const,
            reason:
              error._tag === "SessionUnreadable"
                ? "the session's log can't be read"
                : "the database could not be asked for runners"
          }
        )
      ),
    placeAtHome,
    begun: (sessionId, threadId) => void reserved.delete(keyOf(sessionId, threadId))
  })
})
