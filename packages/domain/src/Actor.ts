import { Schema } from "effect"
import { RunnerId, ThreadId } from "./Ids.ts"

const behalf = { onBehalfOf: Schema.optionalKey(Schema.String) }

/** Who caused an event. Closed: a new kind of actor is a new schema version. */
export const Actor = Schema.Union([
  Schema.Struct({ type: Schema.Literal("api_key"), id: Schema.String, ...behalf }),
  Schema.Struct({ type: Schema.Literal("member"), id: Schema.String, ...behalf }),
  Schema.Struct({ type: Schema.Literal("end_user"), subject: Schema.String, tokenId: Schema.String, ...behalf }),
  Schema.Struct({ type: Schema.Literal("thread"), id: ThreadId, ...behalf }),
  Schema.Struct({ type: Schema.Literal("schedule"), id: Schema.String, ...behalf }),
  Schema.Struct({ type: Schema.Literal("integration"), id: Schema.String, delivery: Schema.String, ...behalf }),
  Schema.Struct({ type: Schema.Literal("runner"), id: RunnerId, ...behalf }),
  Schema.Struct({ type: Schema.Literal("system"), ...behalf })
])
export type Actor = typeof Actor.Type

export const system: Actor = { type: "system" }
