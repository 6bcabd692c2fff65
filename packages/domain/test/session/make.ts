import type { Json } from "../../src/Json.ts"
import { AgentId, CommandId, OutcomeId, WorkspaceId } from "../../src/Ids.ts"
import { text } from "../../src/session/Content.ts"
import type { Frame, FrameBody } from "../../src/session/Frame.ts"
import type { Decision, Input } from "../../src/session/Input.ts"
import type { Resource } from "../../src/session/Opening.ts"
import type { BudgetLimit } from "../../src/session/Budget.ts"
import type { Command, CommandOf, SessionCommand } from "../../src/session/SessionCommand.ts"
import { plainOpen } from "../../../../test/support/opening.ts"
import {
  attemptId,
  callId,
  hash,
  inputId,
  nth,
  resourceId,
  runnerId,
  sessionId,
  threadId,
  turnId,
  type Part
} from "./ids.ts"

export const command = (n: number, at: number, body: SessionCommand): Command => ({
  commandId: CommandId.make(nth("Command", n)),
  at,
  actor: { type: "api_key", id: "key" },
  correlationId: n.toString(16).padStart(32, "0"),
  body
})

type InputOf<Tag extends Input["_tag"]> = Extract<Input, { readonly _tag: Tag }>

const plain = plainOpen({
  sessionId: sessionId(),
  workspaceId: WorkspaceId.make(nth("Workspace", 1)),
  threadId: threadId(),
  agentId: AgentId.make(nth("Agent", 1))
})

export const open = (part: Part<CommandOf<"Open">> = {}): CommandOf<"Open"> => ({
  ...plain,
  agent: { ...plain.agent, digest: hash(1), name: "helper", harness: "openai-agents" },
  createdBy: "key",
  visibility: "private",
  lifecycle: { onIdle: "retain", keepFailed: true, ttlMs: null },
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

export const answer = (n: number, call: number, given: Json = "yes"): InputOf<"Answer"> => ({
  _tag: "Answer",
  inputId: inputId(n),
  callId: callId(call),
  answer: given
})

/** Input n; it came with another one, or by itself as those of before. */
export const systemMessage = (n: number, follows: number | null = null): InputOf<"SystemMessage"> => ({
  _tag: "SystemMessage",
  inputId: inputId(n),
  content: text("be brief"),
  ...(follows === null ? {} : { follows: inputId(follows) })
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

export const limit = (
  metric: BudgetLimit["metric"],
  max: number,
  part: Partial<Omit<BudgetLimit, "metric" | "max">> = {}
): BudgetLimit => ({ metric, max, enforcement: "hard", scope: "session", ...part })

export const pause: SessionCommand = { _tag: "Pause" }
export const resume: SessionCommand = { _tag: "Resume" }
export const wake: SessionCommand = { _tag: "Wake" }
export const archive: SessionCommand = { _tag: "Archive" }
export const remove: SessionCommand = { _tag: "Delete" }
export const retry = (turn: number): SessionCommand => ({ _tag: "RetryTurn", turnId: turnId(turn) })
export const withdraw = (turn: number, queueVersion: number | null = null): SessionCommand => ({
  _tag: "WithdrawTurn",
  turnId: turnId(turn),
  queueVersion
})
/** Thread `from` tells thread `to` something: message n, which makes turn n. */
export const messageThread = (n: number, from: number, to: number): CommandOf<"MessageThread"> => ({
  _tag: "MessageThread",
  fromThreadId: threadId(from),
  threadId: threadId(to),
  turnId: turnId(n),
  messageId: inputId(n),
  content: text(`message ${n}`)
})
export const resource = (n: number): Resource => ({ resourceId: resourceId(n), type: "file", spec: { path: `/${n}` } })
export const openThread = (n: number): CommandOf<"OpenThread"> => ({
  _tag: "OpenThread",
  threadId: threadId(n),
  name: `thread ${n}`,
  parentThreadId: threadId(),
  agent: null
})

export * from "./bodies.ts"
export * from "./ids.ts"
