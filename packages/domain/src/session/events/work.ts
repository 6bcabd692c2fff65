import { Schema } from "effect"
import { AttemptId, EventId, ModelRequestId, ThreadId, TurnId } from "../../Ids.ts"
import { Json, JsonObject } from "../../Json.ts"
import { Sha256Hex } from "../../log/Envelope.ts"
import { Changes } from "../Changes.ts"
import { BlobRef, Content } from "../Content.ts"
import { Decision } from "../Input.ts"
import { Usage } from "../Usage.ts"

const Executor = Schema.Literals(["sandbox", "mcp", "function", "client", "worker", "platform"])

/** What runners report: fields that a frame and its event share. */
export const work = {
  ModelRequestStarted: {
    requestId: ModelRequestId,
    model: Schema.String,
    provider: Schema.String,
    /** What counts if no answer ever comes. */
    estimate: Usage,
    request: Schema.NullOr(BlobRef),
    /** The sub-agent that asks; absent where it is the thread's own agent. */
    subagentId: Schema.optionalKey(EventId)
  },
  ModelRequestEnded: {
    requestId: ModelRequestId,
    outcome: Schema.Literals(["succeeded", "failed", "cancelled", "unknown"]),
    usage: Usage,
    durationMs: Schema.NullOr(Schema.Int),
    response: Schema.NullOr(BlobRef)
  },
  MessageBlock: { blockId: EventId, requestId: ModelRequestId, content: Content, partial: Schema.Boolean },
  ThinkingBlock: {
    blockId: EventId,
    requestId: ModelRequestId,
    text: Schema.NullOr(Schema.String),
    /** What the provider wants back verbatim: signatures, redacted blocks. */
    opaque: Schema.NullOr(Json),
    partial: Schema.Boolean
  },
  ToolRequested: {
    callId: EventId,
    requestId: Schema.NullOr(ModelRequestId),
    providerCallId: Schema.String,
    name: Schema.String,
    /** What its server calls it, where the model knows it by another name. */
    ownName: Schema.optionalKey(Schema.String),
    server: Schema.NullOr(Schema.String),
    executor: Executor,
    input: Json,
    inputDigest: Sha256Hex,
    readOnly: Schema.Boolean,
    idempotent: Schema.Boolean,
    verdict: Schema.Struct({
      permission: Schema.Literals(["allow", "ask", "deny"]),
      rule: Schema.String,
      reason: Schema.NullOr(Schema.String)
    }),
    /** What somebody outside must send before the call can go on. */
    awaits: Schema.Literals(["nothing", "confirmation", "result", "answer"]),
    question: Schema.NullOr(JsonObject),
    expiresAt: Schema.NullOr(Schema.Int),
    /** The call that runs and has people asked this. The answer goes to it, and the model is told nothing of the question. */
    within: Schema.optionalKey(EventId)
  },
  ToolStarted: { callId: EventId, at: Schema.Int },
  ToolFinished: {
    callId: EventId,
    /** Who ran the call: the session says so of its own knowledge, whatever a runner says. */
    executor: Schema.optionalKey(Executor),
    outcome: Schema.Literals(["succeeded", "failed", "denied", "interrupted", "timed_out", "expired", "unknown"]),
    content: Content,
    isError: Schema.Boolean,
    durationMs: Schema.NullOr(Schema.Int),
    details: Schema.NullOr(JsonObject)
  },
  /** An agent that works for the thread's own one, in a conversation of its own that the thread's has no part in. */
  SubagentStarted: {
    subagentId: EventId,
    name: Schema.String,
    /** The beginning of what it was asked. */
    task: Schema.String,
    /** The call that it works for. */
    callId: Schema.NullOr(EventId),
    /** The sub-agent that began it; null where the thread's own agent did. */
    parentId: Schema.NullOr(EventId)
  },
  SubagentEnded: {
    subagentId: EventId,
    /** The call that it worked for: the session says so of its own knowledge, whatever a runner says. */
    callId: Schema.optionalKey(Schema.NullOr(EventId)),
    outcome: Schema.Literals(["succeeded", "failed", "interrupted", "unknown"]),
    /** The beginning of what it handed back, or why it failed; null where that is not known. */
    summary: Schema.NullOr(Schema.String),
    durationMs: Schema.NullOr(Schema.Int)
  },
  ContextCompacted: {
    summary: Content,
    /** 0: everything before this event. */
    uptoSeq: Schema.Int,
    tokensBefore: Schema.Int,
    tokensAfter: Schema.Int
  },
  WorkingCopyCaptured: {
    checkpoint: Schema.String,
    bytes: Schema.Int,
    files: Schema.Int,
    /** Since the checkpoint before, or since it was empty; absent where that can't be told. */
    changes: Schema.optionalKey(Changes)
  },
  WorkingCopyRewound: { toSeq: Schema.Int, callIds: Schema.Array(EventId) }
} as const

const inAttempt = {
  threadId: ThreadId,
  turnId: TurnId,
  attemptId: Schema.NullOr(AttemptId),
  frame: Schema.NullOr(Schema.Int)
}

/** What people and programs outside answer to a call. */
export const answers = {
  ToolConfirmed: {
    threadId: ThreadId,
    inputId: Schema.NullOr(EventId),
    callId: EventId,
    decision: Schema.Union([Decision, Schema.Struct({ type: Schema.Literal("expired") })]),
    at: Schema.Int
  },
  ToolAnswered: {
    threadId: ThreadId,
    inputId: EventId,
    callId: EventId,
    executor: Schema.Literals(["client", "worker"]),
    content: Content,
    isError: Schema.Boolean,
    at: Schema.Int
  },
  QuestionAnswered: { threadId: ThreadId, inputId: EventId, callId: EventId, answer: Json, at: Schema.Int }
} as const

type Framed<Fields extends Record<string, Schema.Struct.Fields>> = {
  readonly [Name in keyof Fields]: typeof inAttempt & Fields[Name]
}

const frame = <const Fields extends Record<string, Schema.Struct.Fields>>(fields: Fields): Framed<Fields> =>
  Object.fromEntries(Object.entries(fields).map(([name, own]) => [name, { ...inAttempt, ...own }])) as never

export const workEvents = frame(work)
