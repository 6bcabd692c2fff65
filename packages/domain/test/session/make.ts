import {
  AgentId,
  AttemptId,
  CommandId,
  EventId,
  fromUuid,
  type IdKind,
  ModelRequestId,
  OutcomeId,
  prefixes,
  RunnerId,
  SandboxId,
  SessionId,
  ThreadId,
  TimerId,
  TurnId,
  WorkspaceId
} from "../../src/Ids.ts"
import { text } from "../../src/session/Content.ts"
import type { Frame, FrameBody } from "../../src/session/Frame.ts"
import type { Decision, Input } from "../../src/session/Input.ts"
import type { BudgetLimit } from "../../src/session/Budget.ts"
import type { Command, CommandOf, SessionCommand } from "../../src/session/SessionCommand.ts"
import type { Usage } from "../../src/session/Usage.ts"

/** The n-th id of its kind, the same in every run. */
const nth = (kind: IdKind, n: number): string =>
  fromUuid(prefixes[kind], `00000000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`)

export const sessionId = (n = 1) => SessionId.make(nth("Session", n))
export const threadId = (n = 1) => ThreadId.make(nth("Thread", n))
export const turnId = (n: number) => TurnId.make(nth("Turn", n))
export const attemptId = (n: number) => AttemptId.make(nth("Attempt", n))
export const runnerId = (n = 1) => RunnerId.make(nth("Runner", n))
export const requestId = (n: number) => ModelRequestId.make(nth("ModelRequest", n))
export const timerId = (n: number) => TimerId.make(nth("Timer", n))
export const sandboxId = (n = 1) => SandboxId.make(nth("Sandbox", n))
/** Inputs and calls have ids of one kind: two rows of numbers keep them apart. */
export const inputId = (n: number) => EventId.make(nth("Event", n))
export const callId = (n: number) => EventId.make(nth("Event", 0x10_0000 + n))
export const blockId = (n: number) => EventId.make(nth("Event", 0x20_0000 + n))
export const hash = (n: number) => n.toString(16).padStart(64, "0")

export const command = (n: number, at: number, body: SessionCommand): Command => ({
  commandId: CommandId.make(nth("Command", n)),
  at,
  actor: { type: "api_key", id: "key" },
  correlationId: n.toString(16).padStart(32, "0"),
  body
})

type Part<A> = Partial<Omit<A, "_tag">>
type InputOf<Tag extends Input["_tag"]> = Extract<Input, { readonly _tag: Tag }>
export type BodyOf<Tag extends FrameBody["_tag"]> = Extract<FrameBody, { readonly _tag: Tag }>

export const open = (part: Part<CommandOf<"Open">> = {}): CommandOf<"Open"> => ({
  _tag: "Open",
  sessionId: sessionId(),
  workspaceId: WorkspaceId.make(nth("Workspace", 1)),
  threadId: threadId(),
  agent: {
    agentId: AgentId.make(nth("Agent", 1)),
    version: 1,
    digest: hash(1),
    name: "helper",
    description: null,
    model: { id: "demo" },
    auxModel: null,
    system: null,
    harness: "openai-agents",
    tools: [],
    mcpServers: [],
    skills: [],
    policies: [],
    multiagent: null
  },
  environment: null,
  resources: [],
  vaultIds: [],
  title: null,
  metadata: {},
  labels: [],
  budget: [],
  origin: { type: "api" },
  createdBy: "key",
  projectId: null,
  visibility: "private",
  endUser: null,
  deploymentId: null,
  externalThreadKey: null,
  lifecycle: { onIdle: "retain", keepFailed: true, ttlMs: null },
  history: [],
  inputs: [],
  ...part
})

/** Message n makes turn n. */
export const message = (n: number, part: Part<InputOf<"Message">> = {}): InputOf<"Message"> => ({
  _tag: "Message",
  inputId: inputId(n),
  turnId: turnId(n),
  threadId: null,
  content: text(`message ${n}`),
  mode: "queue",
  overrides: {},
  needsApproval: false,
  ...part
})

export const interrupt = (n: number, thread: number | null = null): InputOf<"Interrupt"> => ({
  _tag: "Interrupt",
  inputId: inputId(n),
  threadId: thread === null ? null : threadId(thread)
})

export const confirmation = (
  n: number,
  call: number,
  decision: Decision = { type: "allow_once" }
): InputOf<"Confirmation"> => ({ _tag: "Confirmation", inputId: inputId(n), callId: callId(call), decision })

export const result = (n: number, call: number, executor: "client" | "worker" = "client"): InputOf<"ToolResult"> => ({
  _tag: "ToolResult",
  inputId: inputId(n),
  callId: callId(call),
  content: text("result"),
  isError: false,
  executor
})

export const answer = (n: number, call: number): InputOf<"Answer"> => ({
  _tag: "Answer",
  inputId: inputId(n),
  callId: callId(call),
  answer: "yes"
})

export const systemMessage = (n: number): InputOf<"SystemMessage"> => ({
  _tag: "SystemMessage",
  inputId: inputId(n),
  content: text("be brief")
})

export const outcome = (n: number): InputOf<"Outcome"> => ({
  _tag: "Outcome",
  inputId: inputId(n),
  outcomeId: OutcomeId.make(nth("Outcome", n)),
  description: "done well",
  rubric: { type: "text" },
  maxIterations: 3
})

export const send = (...inputs: ReadonlyArray<Input>): CommandOf<"Send"> => ({ _tag: "Send", inputs })

/** Attempt `attempt` starts on turn `turn`. */
export const start = (turn: number, attempt = turn, thread = 1): CommandOf<"StartAttempt"> => ({
  _tag: "StartAttempt",
  threadId: threadId(thread),
  turnId: turnId(turn),
  attemptId: attemptId(attempt),
  runnerId: runnerId(),
  digests: { policy: hash(2), catalog: hash(3), agent: hash(1), harness: "openai-agents", model: "demo" }
})

/** Frames of an attempt, numbered from `from`. */
export const frames = (
  attempt: number,
  from: number,
  ...bodies: ReadonlyArray<FrameBody>
): CommandOf<"RecordFrames"> => ({
  _tag: "RecordFrames",
  attemptId: attemptId(attempt),
  frames: bodies.map((body, index): Frame => ({ n: from + index, at: 0, body }))
})

export const lose = (attempt: number): CommandOf<"LoseAttempt"> => ({
  _tag: "LoseAttempt",
  attemptId: attemptId(attempt),
  reason: "gone"
})

export const usage = (part: Partial<Usage> = {}): Usage => ({
  source: "measured",
  inputTokens: 10,
  outputTokens: 5,
  cacheReadTokens: 0,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
  webSearches: 0,
  webFetches: 0,
  costMicroUsd: 100,
  ...part
})

export const requestStarted = (n: number, estimate: Partial<Usage> = {}): BodyOf<"ModelRequestStarted"> => ({
  _tag: "ModelRequestStarted",
  requestId: requestId(n),
  model: "demo",
  provider: "demo",
  estimate: usage({ source: "estimated", costMicroUsd: 70, ...estimate }),
  request: null
})

export const requestEnded = (n: number, used: Partial<Usage> = {}): BodyOf<"ModelRequestEnded"> => ({
  _tag: "ModelRequestEnded",
  requestId: requestId(n),
  outcome: "succeeded",
  usage: usage(used),
  durationMs: 5,
  response: null
})

export const block = (n: number, request = 1): BodyOf<"MessageBlock"> => ({
  _tag: "MessageBlock",
  blockId: blockId(n),
  requestId: requestId(request),
  content: text("words"),
  partial: false
})

export const requested = (n: number, part: Part<BodyOf<"ToolRequested">> = {}): BodyOf<"ToolRequested"> => ({
  _tag: "ToolRequested",
  callId: callId(n),
  requestId: requestId(1),
  providerCallId: `call_${n}`,
  name: "bash",
  server: null,
  executor: "sandbox",
  input: {},
  inputDigest: hash(4),
  readOnly: false,
  idempotent: false,
  verdict: { permission: "allow", rule: "default", reason: null },
  awaits: "nothing",
  question: null,
  expiresAt: null,
  ...part
})

const verdict = (permission: "ask" | "deny") => ({ permission, rule: "default", reason: null })

export const asked = (n: number, part: Part<BodyOf<"ToolRequested">> = {}) =>
  requested(n, { verdict: verdict("ask"), awaits: "confirmation", ...part })

export const refused = (n: number, part: Part<BodyOf<"ToolRequested">> = {}) =>
  requested(n, { verdict: verdict("deny"), ...part })

export const forClient = (n: number, part: Part<BodyOf<"ToolRequested">> = {}) =>
  requested(n, { executor: "client", name: "look_up", awaits: "result", ...part })

export const question = (n: number, part: Part<BodyOf<"ToolRequested">> = {}) =>
  requested(n, { executor: "platform", name: "ask", awaits: "answer", question: {}, ...part })

export const started = (n: number): BodyOf<"ToolStarted"> => ({ _tag: "ToolStarted", callId: callId(n), at: 0 })

export const finished = (
  n: number,
  outcome: BodyOf<"ToolFinished">["outcome"] = "succeeded"
): BodyOf<"ToolFinished"> => ({
  _tag: "ToolFinished",
  callId: callId(n),
  outcome,
  content: text("output"),
  isError: outcome !== "succeeded",
  durationMs: 3,
  details: null
})

export const suspended = (reason: BodyOf<"Suspended">["reason"] = "requires_action"): BodyOf<"Suspended"> => ({
  _tag: "Suspended",
  reason
})

export const completed = (stop: BodyOf<"Completed">["stop"] = "end_turn"): BodyOf<"Completed"> => ({
  _tag: "Completed",
  stop,
  details: null
})

export const failed = (retryable: boolean, retryAfterMs: number | null = null): BodyOf<"Failed"> => ({
  _tag: "Failed",
  error: { code: "model_overloaded_error", message: "try later" },
  retryable,
  retryAfterMs
})

export const steerTaken = (n: number): BodyOf<"SteerTaken"> => ({ _tag: "SteerTaken", inputId: inputId(n) })
export const interruptedFrame: FrameBody = { _tag: "Interrupted" }

export const limit = (
  metric: BudgetLimit["metric"],
  max: number,
  part: Partial<Pick<BudgetLimit, "enforcement" | "scope">> = {}
): BudgetLimit => ({ metric, max, enforcement: "hard", scope: "session", ...part })

export const pause: SessionCommand = { _tag: "Pause" }
export const resume: SessionCommand = { _tag: "Resume" }
export const wake: SessionCommand = { _tag: "Wake" }
export const archive: SessionCommand = { _tag: "Archive" }
export const remove: SessionCommand = { _tag: "Delete" }
export const retry = (turn: number): SessionCommand => ({ _tag: "RetryTurn", turnId: turnId(turn) })
export const openThread = (n: number): CommandOf<"OpenThread"> => ({
  _tag: "OpenThread",
  threadId: threadId(n),
  name: `thread ${n}`,
  parentThreadId: threadId(),
  agent: null
})
