import { text } from "../../src/session/Content.ts"
import type { FrameBody } from "../../src/session/Frame.ts"
import type { Usage } from "../../src/session/Usage.ts"
import { blockId, callId, hash, inputId, type Part, requestId, subagentId } from "./ids.ts"

export type BodyOf<Tag extends FrameBody["_tag"]> = Extract<FrameBody, { readonly _tag: Tag }>

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

export const subagentStarted = (n: number, part: Part<BodyOf<"SubagentStarted">> = {}): BodyOf<"SubagentStarted"> => ({
  _tag: "SubagentStarted",
  subagentId: subagentId(n),
  name: "helper",
  task: "Look it up",
  callId: null,
  parentId: null,
  ...part
})

export const subagentEnded = (
  n: number,
  outcome: BodyOf<"SubagentEnded">["outcome"] = "succeeded"
): BodyOf<"SubagentEnded"> => ({
  _tag: "SubagentEnded",
  subagentId: subagentId(n),
  outcome,
  summary: "found it",
  durationMs: 7
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
