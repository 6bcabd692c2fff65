import { Schema } from "effect"
import { EventId } from "../Ids.ts"
import { JsonObject } from "../Json.ts"
import { lifecycle } from "./events/lifecycle.ts"
import { work } from "./events/work.ts"
import { ReservedEvent } from "./SessionEvent.ts"
import { ErrorInfo } from "./Status.ts"

/** One numbered output of a runner for an attempt. What it reports becomes events; how it ends decides what follows. */
export const FrameBody = Schema.TaggedUnion({
  ...work,
  SandboxCreated: lifecycle.SandboxCreated,
  SandboxLost: lifecycle.SandboxLost,
  SandboxRestored: lifecycle.SandboxRestored,
  SandboxDestroyed: lifecycle.SandboxDestroyed,
  SteerTaken: { inputId: EventId },
  Troubled: { error: ErrorInfo, retryStatus: Schema.Literals(["retrying", "exhausted", "terminal"]) },
  TitleSuggested: { title: Schema.String },
  Noted: { event: ReservedEvent },
  Suspended: { reason: Schema.Literals(["requires_action", "budget", "paused"]) },
  Interrupted: {},
  Completed: { stop: Schema.Literals(["end_turn", "max_steps", "refusal"]), details: Schema.NullOr(JsonObject) },
  Failed: { error: ErrorInfo, retryable: Schema.Boolean, retryAfterMs: Schema.NullOr(Schema.Int) }
})
export type FrameBody = typeof FrameBody.Type

export const Frame = Schema.Struct({ n: Schema.Int.check(Schema.isGreaterThan(0)), at: Schema.Int, body: FrameBody })
export type Frame = typeof Frame.Type
