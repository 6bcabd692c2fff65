import { Schema } from "effect"
import { AttemptId, EventId, SessionId, ThreadId } from "../Ids.ts"
import { Json } from "../Json.ts"
import { Content } from "../session/Content.ts"
import { ErrorInfo } from "../session/Status.ts"
import { Secret } from "./Attempt.ts"

/** What a runner asks of the node that greeted it: a platform tool's result, or a newer value of a secret. */
export const Ask = Schema.Struct({
  /** Asked again under the same id after a link broke: the node answers what it did, and does nothing twice. */
  askId: Schema.String,
  sessionId: SessionId,
  threadId: ThreadId,
  attemptId: AttemptId,
  ticket: Schema.String,
  body: Schema.Union([
    Schema.Struct({ _tag: Schema.Literal("PlatformCall"), callId: EventId, tool: Schema.String, input: Json }),
    /** The value of this version did not work, or has run out. */
    Schema.Struct({ _tag: Schema.Literal("RefreshSecret"), name: Schema.String, version: Schema.Int })
  ])
})
export type Ask = typeof Ask.Type

export const Answer = Schema.Union([
  Schema.Struct({ _tag: Schema.Literal("Result"), content: Content, isError: Schema.Boolean }),
  Schema.Struct({ _tag: Schema.Literal("Secret"), secret: Secret }),
  Schema.Struct({ _tag: Schema.Literal("Refused"), error: ErrorInfo })
])
export type Answer = typeof Answer.Type
