import { Schema } from "effect"
import { AttemptId, EventId, RunnerId, SandboxId, SessionId, ThreadId, TurnId, WorkspaceId } from "../Ids.ts"
import { Json } from "../Json.ts"
import { PriceTable } from "../models/Price.ts"
import { Budget } from "../session/Budget.ts"
import { Frame } from "../session/Frame.ts"
import { HistoryItem } from "../session/HistoryItem.ts"
import { TurnOverrides } from "../session/Input.ts"
import { AgentSnapshot, EnvironmentSnapshot, Resource } from "../session/Opening.ts"
import { Call, Message, SystemMessage } from "../session/SessionState.ts"
import { Totals } from "../session/Usage.ts"

/** An attempt as its owner knows it. `epoch` fences: a runner refuses calls of an epoch below one it has seen. */
export const AttemptRef = Schema.Struct({
  sessionId: SessionId,
  epoch: Schema.Int,
  threadId: ThreadId,
  turnId: TurnId,
  attemptId: AttemptId,
  runnerId: RunnerId
})
export type AttemptRef = typeof AttemptRef.Type

/** A value that must be known to work and must not be written down, by the name that the journal may have. */
export const Secret = Schema.Struct({
  name: Schema.String,
  /** Goes up with each new value, so that a late one never replaces a newer. */
  version: Schema.Int,
  value: Schema.Redacted(Schema.String)
})
export type Secret = typeof Secret.Type

/** All that a runner needs to work on a turn. The runner journals it, but for the secrets. */
export const RunRequest = Schema.Struct({
  ...AttemptRef.fields,
  workspaceId: WorkspaceId,
  agent: AgentSnapshot,
  environment: Schema.NullOr(EnvironmentSnapshot),
  resources: Schema.Array(Resource),
  overrides: TurnOverrides,
  /** The conversation as the log has it, up to and with the turn's input. */
  history: Schema.Array(HistoryItem),
  /** The seq of the log that the history contains. */
  version: Schema.Int,
  /** Calls of an earlier attempt of this turn that are still open: approved ones run first. */
  calls: Schema.Array(Call),
  /** What the session and this turn may use, and have used: a runner stops by itself before the request that is too much. */
  budget: Budget,
  used: Schema.Struct({ session: Totals, turn: Totals }),
  /** Permissions given for the whole session, as `grantKey` names them. */
  grants: Schema.Array(Schema.String),
  /** What holds beside the agent's own policies: of those who run the server, of the workspace, of the session. */
  policies: Schema.Struct({
    server: Schema.Array(Schema.Json),
    workspace: Schema.Array(Schema.Json),
    session: Schema.Array(Schema.Json)
  }),
  /** What runs in its sandbox ends while the session rests, whatever its environment says. Nodes of before do not say. */
  sleeps: Schema.optionalKey(Schema.Boolean),
  /** What the workspace says that models cost; it goes before what the runner knows. */
  prices: Schema.optionalKey(PriceTable),
  /** The session's sandbox as the log knows it. */
  sandbox: Schema.NullOr(
    Schema.Struct({
      sandboxId: SandboxId,
      runnerId: Schema.String,
      backend: Schema.String,
      live: Schema.Boolean
    })
  ),
  /** The last checkpoint of its working copy, where the log says so, and the calls since whose effects it lacks. */
  checkpoint: Schema.NullOr(
    Schema.Struct({ checkpoint: Schema.String, seq: Schema.Int, lacks: Schema.Array(EventId) })
  ),
  /** The span that the attempt hangs from, as W3C writes it. */
  traceparent: Schema.optionalKey(Schema.String),
  /** Opens the node's door for this session's blobs, to this runner alone. */
  ticket: Schema.String,
  secrets: Schema.Array(Secret)
})
export type RunRequest = typeof RunRequest.Type

/** What a runner says about an attempt. Deltas are not events: they may be lost, and wait for their frame. */
export const Output = Schema.Union([
  Schema.Struct({ _tag: Schema.Literal("Frames"), frames: Schema.Array(Frame) }),
  Schema.Struct({
    _tag: Schema.Literal("Delta"),
    blockId: EventId,
    offset: Schema.Int,
    text: Schema.String,
    afterFrame: Schema.Int,
    /** Absent: of a message. Of thinking it says that it has begun, and has no text. */
    kind: Schema.optionalKey(Schema.Literal("thinking"))
  }),
  /** A sign of life. The owner says which it has heard, and the runner's lease counts from when that one was sent. */
  Schema.Struct({ _tag: Schema.Literal("Contact"), contact: Schema.Int })
])
export type Output = typeof Output.Type

export const Delivery = Schema.Union([
  Schema.Struct({ _tag: Schema.Literal("Interrupt") }),
  Schema.Struct({ _tag: Schema.Literal("Stop"), reason: Schema.Literals(["paused", "budget"]) }),
  Schema.Struct({
    _tag: Schema.Literal("Steer"),
    message: Message,
    /** What the model is told of the system right behind it, where something came with it. */
    behind: Schema.optionalKey(Schema.Array(SystemMessage))
  }),
  /** Everything that is allowed for the whole session by now. */
  Schema.Struct({ _tag: Schema.Literal("Grants"), grants: Schema.Array(Schema.String) }),
  /** What people answered to a question that a running call of this attempt has asked. */
  Schema.Struct({ _tag: Schema.Literal("Answer"), callId: EventId, answer: Json })
])
export type Delivery = typeof Delivery.Type

/** The runner has never heard of this attempt: it is to be run. */
export class AttemptUnknown extends Schema.TaggedError<AttemptUnknown>()("AttemptUnknown", {
  attemptId: Schema.String
}) {
  override get message() {
    return `The runner does not know attempt ${this.attemptId}`
  }
}

/** The runner can't be reached now. */
export class RunnerAway extends Schema.TaggedError<RunnerAway>()("RunnerAway", { runnerId: Schema.String }) {
  override get message() {
    return `Runner ${this.runnerId} can't be reached`
  }
}

/** The runner's disk is not the one the attempt ran on, or it was told to forget: the attempt can't come back. */
export class AttemptGone extends Schema.TaggedError<AttemptGone>()("AttemptGone", {
  attemptId: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `Attempt ${this.attemptId} is gone: ${this.reason}`
  }
}

/** The runner has seen a newer owner of this session. */
export class EpochRefused extends Schema.TaggedError<EpochRefused>()("EpochRefused", {
  sessionId: Schema.String,
  epoch: Schema.Int,
  seen: Schema.Int
}) {
  override get message() {
    return `Epoch ${this.epoch} of ${this.sessionId} was refused: the runner has seen ${this.seen}`
  }
}
