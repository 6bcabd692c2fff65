import type { Actor } from "@troupe/domain/Actor"
import type { CommandId, SessionId, ThreadId, TurnId, WorkspaceId } from "@troupe/domain/Ids"
import { text } from "@troupe/domain/session/Content"
import type { Input } from "@troupe/domain/session/Input"
import type { Command, SessionCommand } from "@troupe/domain/session/SessionCommand"
import type { OpenSession, SessionState } from "@troupe/domain/session/SessionState"
import { mintId, type Prng } from "./Prng.ts"

const zeros = "0".repeat(64)
const actor: Actor = { type: "api_key", id: "test" }

export const openCommand = (random: Prng, sessionId: SessionId): SessionCommand => ({
  _tag: "Open",
  sessionId,
  workspaceId: mintId(random, "Workspace") as WorkspaceId,
  threadId: mintId(random, "Thread") as ThreadId,
  agent: {
    agentId: mintId(random, "Agent") as never,
    version: 1,
    digest: zeros,
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
  vaultIds: [],
  title: null,
  metadata: {},
  labels: [],
  budget: random.chance(0.25)
    ? [
        {
          metric: random.pick(["tokens", "cost_micro_usd", "active_ms", "tool_calls", "model_requests"]),
          max: 1 + random.int(600),
          enforcement: random.pick(["hard", "hard", "soft"]),
          scope: random.pick(["session", "turn"])
        }
      ]
    : [],
  origin: { type: "api" },
  createdBy: "test",
  projectId: null,
  visibility: "workspace",
  endUser: null,
  deploymentId: null,
  externalThreadKey: null,
  lifecycle: { onIdle: "retain", keepFailed: false, ttlMs: null },
  history: [],
  inputs: random.chance(0.4) ? [message(random, null)] : []
})

const message = (random: Prng, threadId: ThreadId | null): Input => ({
  _tag: "Message",
  inputId: mintId(random, "Event") as never,
  turnId: mintId(random, "Turn") as TurnId,
  threadId,
  content: text(random.pick(["hello", "go on", "x".repeat(200)])),
  mode: random.pick(["queue", "queue", "steer"]),
  overrides: {},
  needsApproval: random.chance(0.1)
})

const thread = (random: Prng, session: OpenSession): ThreadId | null =>
  random.chance(0.5) ? null : random.pick(session.threads).threadId

const answer = (random: Prng, session: OpenSession): Input | undefined => {
  const owed = session.threads.flatMap((one) => one.turn?.calls.filter((call) => call.awaits !== "nothing") ?? [])
  if (owed.length === 0) return undefined
  const call = random.pick(owed)
  const { callId } = call
  const inputId = mintId(random, "Event") as never
  switch (call.awaits) {
    case "confirmation":
      return {
        _tag: "Confirmation",
        inputId,
        callId,
        decision: random.pick([
          { type: "allow_once" },
          { type: "allow_session" },
          { type: "deny", message: "no" },
          { type: "allow_edited", input: { command: "false" }, inputDigest: zeros }
        ] as const)
      }
    case "result":
      return {
        _tag: "ToolResult",
        inputId,
        callId,
        content: text("result"),
        isError: false,
        executor: call.executor === "worker" ? "worker" : "client"
      }
    case "answer":
      return { _tag: "Answer", inputId, callId, answer: "yes" }
    case "nothing":
      return undefined
  }
}

const queued = (random: Prng, session: OpenSession) => {
  const all = session.threads.flatMap((one) => one.queue.map((turn) => ({ turn, queueVersion: one.queueVersion })))
  return all.length === 0 ? undefined : random.pick(all)
}

const onQueue = (random: Prng, session: OpenSession): SessionCommand | undefined => {
  const found = queued(random, session)
  if (found === undefined) return undefined
  const { turnId } = found.turn
  const queueVersion = random.chance(0.3) ? null : found.queueVersion - (random.chance(0.1) ? 1 : 0)
  switch (random.int(5)) {
    case 0:
      return { _tag: "EditTurn", turnId, queueVersion, content: text("edited") }
    case 1:
      return { _tag: "MoveTurn", turnId, queueVersion, before: queued(random, session)?.turn.turnId ?? null }
    case 2:
      return { _tag: "WithdrawTurn", turnId, queueVersion }
    case 3:
      return { _tag: "ApproveTurn", turnId, queueVersion }
    default:
      return { _tag: "SteerTurn", turnId, queueVersion }
  }
}

const retry = (session: OpenSession): SessionCommand | undefined => {
  for (const { failed, turn } of session.threads) {
    if (turn?.phase._tag === "Deciding") return { _tag: "RetryTurn", turnId: turn.turnId }
    if (failed !== null) return { _tag: "RetryTurn", turnId: failed.turnId }
  }
  return undefined
}

/** Something a client might send to a session in this state: mostly sensible, sometimes not. */
export const drawBody = (random: Prng, sessionId: SessionId, state: SessionState): SessionCommand => {
  if (state._tag === "NotOpened") {
    return random.chance(0.9) ? openCommand(random, sessionId) : { _tag: "Send", inputs: [message(random, null)] }
  }
  const roll = random.next()
  const interrupt: Input = {
    _tag: "Interrupt",
    inputId: mintId(random, "Event") as never,
    threadId: thread(random, state)
  }
  const plain: SessionCommand = { _tag: "Send", inputs: [message(random, thread(random, state))] }
  if (roll < 0.3) return plain
  if (roll < 0.5) {
    const input = answer(random, state)
    return input === undefined ? plain : { _tag: "Send", inputs: [input] }
  }
  if (roll < 0.6) return onQueue(random, state) ?? plain
  if (roll < 0.66) return { _tag: "Send", inputs: [interrupt] }
  if (roll < 0.7) return { _tag: "Send", inputs: [interrupt, message(random, null)] }
  if (roll < 0.75) return { _tag: "Pause" }
  if (roll < 0.82) return { _tag: "Resume" }
  if (roll < 0.86) return retry(state) ?? { _tag: "RetryTurn", turnId: mintId(random, "Turn") as TurnId }
  if (roll < 0.89) return { _tag: "Update", title: "a title", metadata: { a: String(random.int(3)) } }
  if (roll < 0.92) {
    const max = 1 + random.int(2_000)
    return { _tag: "ChangeBudget", budget: [{ metric: "tokens", max, enforcement: "hard", scope: "session" }] }
  }
  if (roll < 0.95) {
    if (state.threads.length >= 2) return { _tag: "ArchiveThread", threadId: random.pick(state.threads).threadId }
    const threadId = mintId(random, "Thread") as ThreadId
    return { _tag: "OpenThread", threadId, name: "second", parentThreadId: state.primary, agent: null }
  }
  if (roll < 0.97) {
    const timer = state.timers[0]
    if (timer !== undefined) return { _tag: "CancelTimer", timerId: timer.timerId }
    const dueAt = 1_000 * random.int(100)
    return { _tag: "SetTimer", timerId: mintId(random, "Timer") as never, dueAt, name: "t", payload: null }
  }
  if (roll < 0.98) return { _tag: "NoteFork", childId: mintId(random, "Session") as SessionId, seq: 1 + random.int(5) }
  if (roll < 0.985)
    return { _tag: "RequestRedaction", seqs: [1 + random.int(4)], reason: "asked", replacements: [zeros] }
  return random.chance(0.7) ? { _tag: "Archive" } : { _tag: "Delete" }
}

export const commandOf = (random: Prng, at: number, body: SessionCommand): Command => ({
  commandId: mintId(random, "Command") as CommandId,
  at,
  actor,
  correlationId: "0".repeat(32),
  body
})
