import { ApiFailure, forbidden, invalid } from "@troupe/domain/api/ApiError"
import * as Api from "@troupe/domain/api/Work"
import type { EnvironmentId } from "@troupe/domain/Ids"
import { Clock, Effect, Layer } from "effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import { Environments } from "../environments/Environments.ts"
import { pageOf } from "../gateway/places.ts"
import type { Caller } from "../gateway/Requests.ts"
import { type Asked, route } from "../gateway/Route.ts"
import { WorkQueue } from "./WorkQueue.ts"

const reclaimMsDefault = 5_000
const tryEveryMs = 200
const workerLengthMax = 256

const selfHosted = Effect.fnUntraced(function* ({ workspaceId }: Caller["Service"], id: EnvironmentId) {
  const environments = yield* Environments
  const { definition } = yield* environments.find(workspaceId, id)
  if (definition.config.type === "self_hosted") return
  return yield* invalid(`environment ${id} is not self_hosted: its sessions need no workers`)
})

/** Who works comes with the environment's key; who looks after it, with the workspace's. */
const keyOnly = ({ kind }: Caller["Service"]) =>
  kind === "environment_key" ? Effect.void : Effect.fail(forbidden("This takes the environment's key"))
const apiKeyOnly = ({ bound }: Caller["Service"]) =>
  bound === null ? Effect.void : Effect.fail(forbidden("This takes an API key of the workspace"))

const named = ({ caller, params }: Pick<Asked<typeof Api.retrieve>, "caller" | "params">) => ({
  workspaceId: caller.workspaceId,
  environmentId: params.id,
  workId: params.work
})

const poll = route(Api.poll, "write", ({ caller, params, query }) =>
  Effect.gen(function* () {
    yield* selfHosted(caller, params.id)
    yield* keyOnly(caller)
    const queue = yield* WorkQueue
    const { headers } = yield* HttpServerRequest.HttpServerRequest
    const worker = headers["anthropic-worker-id"]?.slice(0, workerLengthMax) ?? null
    const reclaimMs = query.reclaim_older_than_ms ?? reclaimMsDefault
    const until = (yield* Clock.currentTimeMillis) + (query.block_ms ?? 0)
    while (true) {
      const work = yield* queue.poll(params.id, { reclaimMs, worker })
      const left = until - (yield* Clock.currentTimeMillis)
      if (work !== null || left <= 0) return work
      yield* Effect.sleep(Math.min(left, tryEveryMs))
    }
  }).pipe(
    Effect.catchTag("ParentRevoked", () =>
      Effect.fail(new ApiFailure({ type: "authentication_error", message: "The API key is missing or not valid" }))
    )
  )
)

const ack = route(Api.ack, "write", (asked) =>
  Effect.gen(function* () {
    yield* selfHosted(asked.caller, asked.params.id)
    yield* keyOnly(asked.caller)
    const queue = yield* WorkQueue
    return yield* queue.ack(named(asked))
  })
)

const heartbeat = route(Api.heartbeat, "write", (asked) =>
  Effect.gen(function* () {
    const { caller, params, query } = asked
    yield* selfHosted(caller, params.id)
    if (caller.kind !== "worker" && caller.kind !== "environment_key") {
      return yield* forbidden("Heartbeats take the work's secret, or the environment's key")
    }
    const { desired_ttl_seconds, expected_last_heartbeat } = query
    const queue = yield* WorkQueue
    return yield* queue.heartbeat(named(asked), {
      desiredTtlSeconds: desired_ttl_seconds ?? null,
      expected: expected_last_heartbeat ?? null
    })
  })
)

const stop = route(Api.stop, "write", (asked) =>
  Effect.flatMap(WorkQueue, (queue) => queue.stop(named(asked), asked.payload.force === true))
)

const list = route(Api.list, "read", ({ caller, params, query }) =>
  Effect.gen(function* () {
    yield* selfHosted(caller, params.id)
    const queue = yield* WorkQueue
    return yield* pageOf("work", query, (options) => queue.list(caller.workspaceId, params.id, options))
  })
)

const stats = route(Api.stats, "read", ({ caller, params }) =>
  Effect.gen(function* () {
    yield* selfHosted(caller, params.id)
    yield* apiKeyOnly(caller)
    const queue = yield* WorkQueue
    return yield* queue.stats(caller.workspaceId, params.id)
  })
)

const retrieve = route(Api.retrieve, "read", (asked) =>
  Effect.andThen(
    apiKeyOnly(asked.caller),
    Effect.flatMap(WorkQueue, (queue) => queue.find(named(asked)))
  )
)

const update = route(Api.update, "write", (asked) =>
  Effect.andThen(
    apiKeyOnly(asked.caller),
    Effect.flatMap(WorkQueue, (queue) => queue.update(named(asked), asked.payload.metadata))
  )
)

export const routes = Layer.mergeAll(poll, stats, list, retrieve, update, ack, heartbeat, stop)
