import { utf8Length } from "@troupe/domain/CanonicalJson"
import type { RunRequest } from "@troupe/domain/runner/Attempt"
import type { BudgetLimit } from "@troupe/domain/session/Budget"
import type { TurnOverrides } from "@troupe/domain/session/Input"
import type { AgentSnapshot } from "@troupe/domain/session/Opening"
import type { OpenSession, Turn } from "@troupe/domain/session/SessionState"
import { limitKey } from "@troupe/domain/session/standing"
import { Context, Effect, Layer, Schema } from "effect"
import type { StoreUnavailable } from "../log/EventStore.ts"
import type { AttemptOrder } from "../session/AttemptDriver.ts"
import type { SessionUnreadable } from "../session/SessionErrors.ts"
import { Policies } from "../workspace/Policies.ts"
import { SecretSource } from "./SecretSource.ts"
import { SessionLog } from "./SessionLog.ts"
import * as Setup from "./Setup.ts"
import { Tickets } from "./Tickets.ts"

/** What a runner is told of a turn must fit into one message, with room to spare. */
export const requestBytesMax = 12 * 1_048_576

/** In characters of the log. Nothing that a log of fewer leads to, with all that is said beside it, comes to the maximum. */
const measuredFrom = 1_048_576

/** The conversation has outgrown what can be sent. */
export class RequestTooLarge extends Schema.TaggedError<RequestTooLarge>()("RequestTooLarge", {
  bytes: Schema.Int,
  bytesMax: Schema.Int
}) {
  override get message() {
    return `The conversation and what belongs to it have ${this.bytes} bytes; a runner takes at most ${this.bytesMax}`
  }
}

/** A soft limit that a person let pass holds nobody any more. */
const isPassed = (limit: BudgetLimit, session: OpenSession, turn: Turn): boolean =>
  limit.enforcement === "soft" && (limit.scope === "session" ? session : turn).acknowledged.includes(limitKey(limit))

const modelsOf = ({ auxModel, model }: AgentSnapshot, { model: turns }: TurnOverrides): ReadonlyArray<string> => [
  turns ?? model.id,
  ...(auxModel === null ? [] : [auxModel])
]

/** Says all that a runner needs to know to work on a turn. */
export class RunRequests extends Context.Service<
  RunRequests,
  {
    readonly build: (
      order: AttemptOrder
    ) => Effect.Effect<typeof RunRequest.Type, RequestTooLarge | StoreUnavailable | SessionUnreadable>
  }
>()("server/RunRequests") {
  static readonly layer: Layer.Layer<RunRequests, never, SessionLog | SecretSource | Tickets | Policies> = Layer.effect(
    RunRequests,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const log = yield* SessionLog
  const secrets = yield* SecretSource
  const tickets = yield* Tickets
  const policies = yield* Policies

  const build = Effect.fn("RunRequests.build")(function* (order: AttemptOrder) {
    const { attemptId, epoch, runnerId, session, sessionId, threadId, traceparent, turn, turnId, version } = order
    const { checkpoint, history, setup, size } = yield* log.conversation(sessionId, threadId, version)
    const { environment, resources, workspaceId } = setup
    const agent = Setup.agentOf(setup, threadId)
    const needs = { models: modelsOf(agent, turn.overrides), mcpServers: agent.mcpServers }
    const [{ prices, ...outer }, given] = yield* Effect.all(
      [policies.of(workspaceId), secrets.all({ workspaceId }, needs)],
      { concurrency: "unbounded" }
    )
    const told = {
      ...{ sessionId, epoch, threadId, turnId, attemptId, runnerId, workspaceId },
      agent,
      environment,
      resources,
      overrides: turn.overrides,
      history,
      version,
      calls: turn.calls,
      budget: session.budget.filter((limit) => !isPassed(limit, session, turn)),
      used: { session: session.totals, turn: turn.totals },
      grants: session.grants,
      policies: { ...outer, session: setup.policies },
      ...(session.lifecycle.onIdle === "sleep" ? { sleeps: true } : {}),
      ...(Object.keys(prices).length === 0 ? {} : { prices }),
      ...(traceparent === null ? {} : { traceparent }),
      sandbox: session.sandbox,
      checkpoint
    }
    // To measure it takes longer than anything else here, and almost all are far from it.
    const bytes = size < measuredFrom ? 0 : utf8Length(JSON.stringify(told))
    if (bytes > requestBytesMax) return yield* new RequestTooLarge({ bytes, bytesMax: requestBytesMax })
    return {
      ...told,
      ticket: tickets.issue({ workspaceId, sessionId, runnerId }),
      secrets: given
    }
  })

  return RunRequests.of({ build })
})
