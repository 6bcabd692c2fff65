import { Schema } from "effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { AgentId, SessionId } from "../Ids.ts"
import { anyFailure } from "./ApiError.ts"
import { Name } from "./Common.ts"
import { isDay, longPageQuery, Page } from "./Page.ts"

export const Day = Schema.String.check(Schema.makeFilter(isDay, { expected: "a day as YYYY-MM-DD" }))

export const usageGroups = ["day", "model", "agent", "session"] as const
const Group = Schema.Literals(usageGroups)

/** What was used, in sum. What rows are not told apart by is null. */
export const UsageRow = Schema.Struct({
  type: Schema.Literal("usage"),
  day: Schema.NullOr(Schema.String),
  /** As `provider/model`; empty for tool calls and working time, which no model has. */
  model: Schema.NullOr(Schema.String),
  agent_id: Schema.NullOr(Schema.String),
  session_id: Schema.NullOr(SessionId),
  model_requests: Schema.Int,
  estimated_requests: Schema.Int,
  /** Requests whose price is not known. The cost is that of the others. */
  unpriced_requests: Schema.Int,
  input_tokens: Schema.Int,
  output_tokens: Schema.Int,
  cache_read_tokens: Schema.Int,
  cache_write_tokens: Schema.Int,
  web_searches: Schema.Int,
  web_fetches: Schema.Int,
  cost_micro_usd: Schema.Int,
  tool_calls: Schema.Int,
  /** How long attempts worked, on the day on which they ended; in the row of tool calls. */
  active_ms: Schema.Int
}).annotate({ identifier: "Usage" })
export type UsageRow = typeof UsageRow.Type

export const query = HttpApiEndpoint.get("queryUsage", "/v1/usage", {
  query: {
    ...longPageQuery,
    /** Days in UTC, both included; the last 30 days where they are not said. */
    from: Schema.optionalKey(Day),
    to: Schema.optionalKey(Day),
    "group_by[]": Schema.optionalKey(Schema.Array(Group)),
    agent_id: Schema.optionalKey(AgentId),
    session_id: Schema.optionalKey(SessionId),
    model: Schema.optionalKey(Name(512))
  },
  success: Page(UsageRow),
  error: anyFailure
})

export const group = HttpApiGroup.make("usage").add(query)
