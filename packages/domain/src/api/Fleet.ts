import { Schema } from "effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { anyFailure } from "./ApiError.ts"

/** A node that lives: one that was killed is gone from here at once. */
export const FleetNode = Schema.Struct({
  type: Schema.Literal("fleet_node"),
  /** Another one after each start. */
  id: Schema.String,
  /** Where other nodes reach it. */
  address: Schema.String,
  release: Schema.String,
  started_at: Schema.String,
  /** How many shards of sessions it owns. */
  shards: Schema.Int,
  /** Runners whose connection it holds. */
  runners: Schema.Int,
  /** Whether it is the node that answered. */
  answered: Schema.Boolean
}).annotate({ identifier: "FleetNode" })
export type FleetNode = typeof FleetNode.Type

export const FleetProjection = Schema.Struct({
  name: Schema.String,
  version: Schema.Int,
  /** Whether readers see this version. One that is not live yet still fills from the beginning. */
  live: Schema.Boolean,
  /** How old the oldest event is that it has not taken; 0 where it has them all. */
  lag_ms: Schema.Int
}).annotate({ identifier: "FleetProjection" })
export type FleetProjection = typeof FleetProjection.Type

const Queue = Schema.Struct({
  turns: Schema.Int,
  /** How long the one has waited that waits longest. */
  oldest_ms: Schema.NullOr(Schema.Int)
}).annotate({ identifier: "FleetQueue" })

/** All of an installation at this moment, over all workspaces: counts, and nothing of what anybody does. */
export const Fleet = Schema.Struct({
  type: Schema.Literal("fleet"),
  nodes: Schema.Array(FleetNode),
  shards: Schema.Struct({
    total: Schema.Int,
    /** Those that some node owns. The sessions of the others wait for an owner, some moments after a node has gone. */
    owned: Schema.Int
  }),
  log: Schema.Struct({
    /** For how long the oldest transaction that writes has held back the readers of all logs; 0 where none does. */
    horizon_age_ms: Schema.Int,
    projections: Schema.Array(FleetProjection)
  }),
  sessions: Schema.Struct({
    running: Schema.Int,
    /** They try again by themselves. */
    rescheduling: Schema.Int,
    /** Calls that wait for a person: to be allowed, or to be answered. */
    approvals: Schema.Int,
    questions: Schema.Int
  }),
  /** Turns that can't go on yet, by what they wait for. */
  queues: Schema.Struct({
    /** Another turn of their thread. */
    turn: Queue,
    /** A person who lets them begin. What calls wait for is counted below `sessions`. */
    person: Queue,
    /** A runner that can take them. */
    runner: Queue
  }),
  /** What waits for the workers of self-hosted environments, and who has it. */
  work: Schema.Struct({ queued: Schema.Int, claimed: Schema.Int, oldest_queued_ms: Schema.NullOr(Schema.Int) }),
  runners: Schema.Struct({
    connected: Schema.Int,
    draining: Schema.Int,
    /** Turns that they have at work, and sessions whose sandbox is with them. */
    attempts: Schema.Int,
    sessions: Schema.Int
  })
}).annotate({ identifier: "Fleet" })
export type Fleet = typeof Fleet.Type

export const retrieve = HttpApiEndpoint.get("retrieveFleet", "/v1/fleet", { success: Fleet, error: anyFailure })

export const group = HttpApiGroup.make("fleet").add(retrieve)
