import {
  fromWords,
  prefixes,
  type IdKind,
  type AttemptId,
  type EventId,
  type ModelRequestId,
  type RunnerId,
  type SessionId
} from "@troupe/domain/Ids"
import type { RunRequest } from "@troupe/domain/runner/Attempt"
import type { FrameBody } from "@troupe/domain/session/Frame"
import { text } from "@troupe/domain/session/Content"
import { noTotals, type Usage } from "@troupe/domain/session/Usage"

const id = (kind: IdKind, n: number) => fromWords(prefixes[kind], 0, 0, 0, n)

export const attemptId = (n: number) => id("Attempt", n) as AttemptId
export const sessionId = (n: number) => id("Session", n) as SessionId
export const eventId = (n: number) => id("Event", n) as EventId
export const requestId = (n: number) => id("ModelRequest", n) as ModelRequestId
export const runnerId = id("Runner", 1) as RunnerId

const zeros = "0".repeat(64)

export const runRequest = (n: number, more: Partial<RunRequest> = {}): RunRequest => ({
  sessionId: sessionId(n),
  epoch: 1,
  threadId: id("Thread", n) as RunRequest["threadId"],
  turnId: id("Turn", n) as RunRequest["turnId"],
  attemptId: attemptId(n),
  runnerId,
  workspaceId: id("Workspace", 1) as RunRequest["workspaceId"],
  agent: {
    agentId: id("Agent", 1) as RunRequest["agent"]["agentId"],
    version: 1,
    digest: zeros as RunRequest["agent"]["digest"],
    name: "agent",
    description: null,
    model: { id: "demo" },
    auxModel: null,
    system: null,
    harness: "scripted",
    tools: [],
    mcpServers: [],
    skills: [],
    policies: [],
    multiagent: null
  },
  environment: null,
  resources: [],
  overrides: {},
  history: [{ type: "user", inputId: eventId(1), from: null, content: text("hello") }],
  version: 3,
  calls: [],
  budget: [],
  used: { session: noTotals, turn: noTotals },
  grants: [],
  policies: { server: [], workspace: [], session: [] },
  sandbox: null,
  checkpoint: null,
  ticket: "ticket",
  secrets: [],
  ...more
})

export const estimate: Usage = {
  source: "measured",
  inputTokens: 10,
  outputTokens: 5,
  cacheReadTokens: 0,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
  webSearches: 0,
  webFetches: 0,
  costMicroUsd: 3
}

export const title = (value: string): FrameBody => ({ _tag: "TitleSuggested", title: value })
export const toolStarted = (n: number): FrameBody => ({ _tag: "ToolStarted", callId: eventId(n), at: 0 })
export const toolFinished = (n: number): FrameBody => ({
  _tag: "ToolFinished",
  callId: eventId(n),
  outcome: "succeeded",
  content: text("done"),
  isError: false,
  durationMs: 1,
  details: null
})
export const modelStarted = (n: number): FrameBody => ({
  _tag: "ModelRequestStarted",
  requestId: requestId(n),
  model: "demo",
  provider: "demo",
  estimate,
  request: null
})
export const subagentStarted = (n: number): FrameBody => ({
  _tag: "SubagentStarted",
  subagentId: eventId(n),
  name: "helper",
  task: "Look it up",
  callId: null,
  parentId: null
})
export const completed: FrameBody = { _tag: "Completed", stop: "end_turn", details: null }
export const failed: FrameBody = {
  _tag: "Failed",
  error: { code: "runner_restarted", message: "again" },
  retryable: true,
  retryAfterMs: null
}
