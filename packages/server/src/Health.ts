import { isUsable } from "@troupe/domain/runner/Hello"
import { Effect } from "effect"
import * as Sharding from "effect/cluster/Sharding"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as SqlClient from "effect/sql/SqlClient"
import { alertAfterMs, Horizon } from "./log/Horizon.ts"
import { Members } from "./cluster/Membership.ts"
import { RunnerLinks } from "./runners/RunnerLinks.ts"

export interface HealthOptions {
  /**
   * Whether a node without a usable runner is unready. Where runners come through a load balancer it must not be: they
   * would wait for a node that is ready, and the nodes for them.
   */
  readonly needsRunner: boolean
}

/** What keeps this node from serving, if anything does. Migrations are through, or this code would not run. */
const missing = Effect.fnUntraced(function* ({ needsRunner }: HealthOptions) {
  const sharding = yield* Sharding.Sharding
  if (yield* sharding.isShutdown) return "draining"
  const members = yield* Members
  if (!(yield* members.joined)) return "membership"
  const sql = yield* SqlClient.SqlClient
  const answers = yield* sql`SELECT 1`.pipe(
    Effect.timeout(1_000),
    Effect.as(true),
    Effect.catchCause(() => Effect.succeed(false))
  )
  if (!answers) return "database"
  const links = yield* RunnerLinks
  return needsRunner && !links.all().some(({ hello, load }) => isUsable(hello) && !load.draining) ? "runner" : null
})

const horizonAge = Effect.flatMap(Horizon, ({ ageMs }) => ageMs)

/** What does not keep the node from serving, and somebody should look at. */
export const warnings = (horizonAgeMs: number): { readonly warnings?: ReadonlyArray<object> } =>
  horizonAgeMs > alertAfterMs ? { warnings: [{ code: "horizon_held", ageMs: horizonAgeMs }] } : {}

/** `/healthz` says that the process lives, `/readyz` that it can serve. */
export const routes = (options: HealthOptions) =>
  HttpRouter.addAll([
    HttpRouter.route("GET", "/healthz", Effect.succeed(HttpServerResponse.jsonUnsafe({ status: "ok" }))),
    HttpRouter.route(
      "GET",
      "/readyz",
      Effect.map(Effect.all([missing(options), horizonAge]), ([reason, ageMs]) =>
        reason === null
          ? HttpServerResponse.jsonUnsafe({ status: "ready", ...warnings(ageMs) })
          : HttpServerResponse.jsonUnsafe({ status: "unready", reason }, { status: 503 })
      )
    )
  ])
