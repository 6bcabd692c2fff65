import type { Fleet } from "@troupe/domain/api/Fleet"
import { forbidden } from "@troupe/domain/api/ApiError"
import { Effect, Metric, Option } from "effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import { isOperator } from "../access/isOperator.ts"
import { announce } from "../gateway/Door.ts"
import { authorized, refusing } from "../gateway/Route.ts"
import { RunnerLinks } from "../runners/RunnerLinks.ts"
import { Watchers } from "../session/Watchers.ts"
import { fleet } from "./fleet.ts"

/** A database that does not answer must not keep the rest from being scraped. */
const fleetWithinMs = 3_000

const set = (name: string, description: string, value: number, attributes: Record<string, string> = {}) =>
  Metric.update(Metric.gauge(name, { description, attributes }), value)

const ofProcess = Effect.suspend(() => {
  const { heapUsed, rss } = process.memoryUsage()
  const { system, user } = process.cpuUsage()
  return Effect.all([
    set("process_resident_memory_bytes", "Memory of the node's process", rss),
    set("nodejs_heap_size_used_bytes", "Of that, what its objects take", heapUsed),
    set("process_cpu_seconds_total", "Processor time of the node's process", (system + user) / 1e6),
    set("process_start_time_seconds", "When it was started", Date.now() / 1_000 - process.uptime())
  ])
})

const ofNode = Effect.gen(function* () {
  const { readers, sessions } = yield* (yield* Watchers).counts
  const links = (yield* RunnerLinks).all()
  yield* set("troupe_streams_open", "Readers of sessions that this node serves", readers)
  yield* set("troupe_sessions_watched", "Sessions that they read", sessions)
  yield* set("troupe_runner_links", "Runners whose connection this node holds", links.length)
  const attempts = links.reduce((sum, link) => sum + link.followed(), 0)
  yield* set("troupe_attempts_followed", "Attempts of turns that are followed over these", attempts)
})

const ofFleet = Effect.fnUntraced(function* ({ log, nodes, queues, runners, sessions, shards, work }: Fleet) {
  yield* set("troupe_fleet_nodes", "Nodes that live", nodes.length)
  yield* set("troupe_fleet_shards_owned", "Shards of sessions that some node owns", shards.owned)
  yield* set("troupe_fleet_shards", "All shards of sessions", shards.total)
  for (const { lag_ms, live, name, version } of log.projections) {
    const which = { projection: name, version: String(version), live: String(live) }
    yield* set("troupe_projection_lag_seconds", "Age of the oldest event a read table lacks", lag_ms / 1_000, which)
  }
  const turns = "Turns by what they do or wait for, in the whole installation"
  const counted = {
    running: sessions.running,
    rescheduling: sessions.rescheduling,
    waiting_for_approval: sessions.approvals,
    waiting_for_answer: sessions.questions,
    waiting_for_turn: queues.turn.turns,
    waiting_for_person: queues.person.turns,
    waiting_for_runner: queues.runner.turns
  }
  for (const [state, count] of Object.entries(counted)) yield* set("troupe_fleet_turns", turns, count, { state })
  yield* set("troupe_fleet_runners", "Runners that are connected to some node", runners.connected)
  yield* set("troupe_fleet_runners_draining", "Of these, those that take nothing new", runners.draining)
  yield* set("troupe_fleet_work_queued", "Work that waits for workers of self-hosted environments", work.queued)
})

/** What Prometheus reads: what this node counted, how it stands, and how the installation does. */
const metrics = Effect.gen(function* () {
  const { headers } = yield* HttpServerRequest.HttpServerRequest
  const caller = yield* authorized(headers, "admin")
  if (!(yield* isOperator(caller))) return yield* forbidden("Metrics are shown to admins of the first workspace")
  yield* ofProcess
  yield* ofNode
  const seen = yield* fleet().pipe(
    Effect.timeout(fleetWithinMs),
    Effect.catchCause((cause) => Effect.as(Effect.logDebug("The fleet could not be read", cause), undefined)),
    Effect.map(Option.fromUndefinedOr)
  )
  yield* set("troupe_fleet_seen", "1 where the database told how the installation stands", Option.isSome(seen) ? 1 : 0)
  if (Option.isSome(seen)) yield* ofFleet(seen.value)
  return HttpServerResponse.text(yield* PrometheusMetrics.format(), {
    contentType: "text/plain; version=0.0.4; charset=utf-8"
  })
})

announce("GET", "/metrics")
export const routes = HttpRouter.add("GET", "/metrics", refusing(metrics))
