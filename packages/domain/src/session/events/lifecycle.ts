import { Schema } from "effect"
import { EventId, SandboxId, SessionId, ThreadId, TimerId, TurnId } from "../../Ids.ts"
import { Json, JsonObject } from "../../Json.ts"
import { Sha256Hex } from "../../log/Envelope.ts"
import { Budget } from "../Budget.ts"
import { Content } from "../Content.ts"
import { Metadata, opening, Resource } from "../Opening.ts"
import { StopReason } from "../Status.ts"
import { Totals } from "../Usage.ts"

/** From opening to deletion, and what is set on the session as a whole. */
export const lifecycle = {
  SessionOpened: { ...opening, at: Schema.Int },
  /** A fork's own copy of the conversation it continues; it never reads its parent again. */
  HistoryCopied: { threadId: ThreadId, items: Schema.Array(JsonObject) },
  /** Somebody forked this session here: a redaction of anything up to `seq` must reach `childId`. */
  ForkPointed: { childId: SessionId, seq: Schema.Int },
  SessionUpdated: {
    title: Schema.optionalKey(Schema.NullOr(Schema.String)),
    metadata: Schema.optionalKey(Metadata),
    labels: Schema.optionalKey(Schema.Array(Schema.String)),
    visibility: Schema.optionalKey(Schema.Literals(["private", "workspace", "link"])),
    at: Schema.Int
  },
  /** Null thread: all of them, and those that are opened later. */
  AgentReconfigured: { threadId: Schema.NullOr(ThreadId), changes: JsonObject, digest: Sha256Hex },
  ResourceAdded: { resource: Resource },
  ResourceRemoved: { resourceId: Resource.fields.resourceId },
  ResourceRefreshed: { resourceId: Resource.fields.resourceId, details: JsonObject },
  /** Null thread: limits of the session; else those of the turn that the thread runs. */
  BudgetReached: { threadId: Schema.NullOr(ThreadId), limits: Budget, totals: Totals },
  BudgetChanged: { budget: Budget },
  /** What all calls of the session are held to from its next attempt on, in the place of what was said before. */
  PoliciesChanged: { policies: Schema.Array(JsonObject) },
  SessionPaused: { at: Schema.Int },
  SessionResumed: { at: Schema.Int },
  SessionArchived: { at: Schema.Int },
  SessionDeleted: { at: Schema.Int },
  /** These events lose their content. `replacements` are the digests of what stands in its place, in the same order. */
  RedactionRequested: {
    seqs: Schema.Array(Schema.Int),
    reason: Schema.String,
    replacements: Schema.Array(Sha256Hex),
    forks: Schema.Array(SessionId)
  },
  RedactionApplied: { seqs: Schema.Array(Schema.Int) },
  /** What sessions and threads show from here on. Derived from the state, and recorded so that readers need not derive it. */
  StatusChanged: {
    session: Schema.NullOr(
      Schema.Struct({
        status: Schema.Literals(["idle", "running", "rescheduling", "terminated"]),
        stop: Schema.NullOr(StopReason)
      })
    ),
    threads: Schema.Array(
      Schema.Struct({
        threadId: ThreadId,
        name: Schema.String,
        status: Schema.Literals(["idle", "running", "rescheduling", "terminated"]),
        stop: Schema.NullOr(StopReason)
      })
    ),
    totals: Totals,
    budget: Budget,
    at: Schema.Int
  },
  ThreadOpened: {
    threadId: ThreadId,
    name: Schema.String,
    parentThreadId: Schema.NullOr(ThreadId),
    agent: Schema.NullOr(JsonObject)
  },
  ThreadArchived: { threadId: ThreadId },
  /** A thread told another one something. It is received so, and taken up like any message: by `MessageTaken`. */
  ThreadMessaged: {
    fromThreadId: ThreadId,
    threadId: ThreadId,
    turnId: TurnId,
    messageId: EventId,
    content: Content,
    at: Schema.Int
  },
  TimerSet: { timerId: TimerId, dueAt: Schema.Int, name: Schema.String, payload: Json },
  TimerFired: { timerId: TimerId, at: Schema.Int },
  TimerCancelled: { timerId: TimerId },
  SandboxCreated: { sandboxId: SandboxId, runnerId: Schema.String, backend: Schema.String, isolation: Schema.String },
  SandboxLost: { sandboxId: SandboxId, reason: Schema.String },
  SandboxRestored: { sandboxId: SandboxId, runnerId: Schema.String, backend: Schema.String, checkpoint: Schema.String },
  SandboxDestroyed: { sandboxId: SandboxId, reason: Schema.String }
} as const
