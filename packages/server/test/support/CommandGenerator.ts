import type { Actor } from "@troupe/domain/Actor"
import type {
  AgentId,
  CommandId,
  EventId,
  OutcomeId,
  ResourceId,
  SessionId,
  ThreadId,
  TimerId,
  TurnId,
  WorkspaceId
} from "@troupe/domain/Ids"
import type { Budget } from "@troupe/domain/session/Budget"
import { text } from "@troupe/domain/session/Content"
import type { Input } from "@troupe/domain/session/Input"
import type { Lifecycle } from "@troupe/domain/session/Opening"
import type { Command, CommandOf, SessionCommand } from "@troupe/domain/session/SessionCommand"
import type { Call, OpenSession, QueuedTurn, SessionState } from "@troupe/domain/session/SessionState"
import { plainOpen } from "../../../../test/support/opening.ts"
import { mintId, type Prng } from "../../../../test/support/Prng.ts"

const zeros = "0".repeat(64)
const nul = String.fromCharCode(0)
const actor: Actor = { type: "api_key", id: "test" }

const eventId = (random: Prng) => mintId(random, "Event") as EventId

const drawBudget = (random: Prng): Budget => [
  {
    metric: random.pick(["tokens", "cost_micro_usd", "active_ms", "tool_calls", "model_requests"]),
    max: 1 + random.int(600),
    enforcement: random.pick(["hard", "hard", "soft"]),
    scope: random.pick(["session", "turn"])
  }
]

const fileOf = (resourceId: ResourceId) => ({ resourceId, type: "file", spec: { path: "/a" } })

/** Opens a session. Those of one workspace may want the same external key. */
export const openCommand = (random: Prng, sessionId: SessionId, workspaceId?: WorkspaceId): CommandOf<"Open"> => ({
  ...plainOpen({
    sessionId,
    workspaceId: workspaceId ?? (mintId(random, "Workspace") as WorkspaceId),
    threadId: mintId(random, "Thread") as ThreadId,
    agentId: mintId(random, "Agent") as AgentId
  }),
  resources: random.chance(0.5) ? [fileOf(mintId(random, "Resource") as ResourceId)] : [],
  budget: random.chance(0.4) ? drawBudget(random) : [],
  externalThreadKey: random.chance(0.15) ? "channel-1" : null,
  history: random.chance(0.1) ? [{ role: "user", content: "before" }] : [],
  inputs: random.chance(0.4) ? [message(random, null)] : []
})

/** Most sessions stay: a story about one that goes is soon over. */
export const drawLifecycle = (random: Prng): Lifecycle => ({
  onIdle: random.chance(0.15) ? random.pick(["sleep", "delete"]) : "retain",
  keepFailed: random.chance(0.5),
  ttlMs: random.chance(0.1) ? 1_000 * (1 + random.int(120)) : null
})

/** A message that is fine wherever there is room for it. */
export const plainMessage = (random: Prng): Input => ({
  _tag: "Message",
  inputId: eventId(random),
  turnId: mintId(random, "Turn") as TurnId,
  threadId: null,
  content: text("hello"),
  mode: "queue",
  overrides: {},
  needsApproval: false
})

const message = (random: Prng, session: OpenSession | null): Input => ({
  _tag: "Message",
  inputId: eventId(random),
  turnId: mintId(random, "Turn") as TurnId,
  threadId: session === null ? null : thread(random, session),
  content: random.chance(0.02) ? [] : text(random.pick(["hello", "go on", "x".repeat(200)])),
  mode: random.pick(["queue", "queue", "steer"]),
  overrides: {},
  needsApproval: random.chance(0.1)
})

const thread = (random: Prng, session: OpenSession): ThreadId | null => {
  if (random.chance(0.02)) return mintId(random, "Thread") as ThreadId
  return random.chance(0.4) ? null : random.pick(session.threads).threadId
}

/** An answer to a call; now and then of the wrong kind. */
const answer = (random: Prng, { awaits, callId, executor }: Call): Input => {
  const inputId = eventId(random)
  switch (random.chance(0.06) ? random.pick(["confirmation", "result", "answer"] as const) : awaits) {
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
    case "result": {
      const worker = (executor === "worker") !== random.chance(0.1)
      const by = worker ? "worker" : "client"
      return { _tag: "ToolResult", inputId, callId, content: text("result"), isError: false, executor: by }
    }
    default:
      return { _tag: "Answer", inputId, callId, answer: "yes" }
  }
}

const owed = (session: OpenSession): ReadonlyArray<Call> =>
  session.threads.flatMap((one) => one.turn?.calls.filter((call) => call.awaits !== "nothing") ?? [])

const queued = (random: Prng, session: OpenSession) => {
  const all = session.threads.flatMap((one) => one.queue.map((turn) => ({ turn, queueVersion: one.queueVersion })))
  return all.length === 0 ? undefined : random.pick(all)
}

const onQueue = (
  random: Prng,
  session: OpenSession,
  found: { readonly turn: QueuedTurn; readonly queueVersion: number }
): SessionCommand => {
  const running = session.threads.flatMap((one) => one.turn?.turnId ?? [])[0]
  const turnId = running !== undefined && random.chance(0.1) ? running : found.turn.turnId
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

const retry = (random: Prng, session: OpenSession): SessionCommand => {
  const wanted = session.threads.flatMap(({ failed, turn }) =>
    turn?.phase._tag === "Deciding" ? [turn.turnId] : failed === null ? [] : [failed.turnId]
  )
  if (wanted.length === 0 && random.chance(0.8)) return { _tag: "Send", inputs: [message(random, session)] }
  return { _tag: "RetryTurn", turnId: wanted.length > 0 ? random.pick(wanted) : (mintId(random, "Turn") as TurnId) }
}

const inputs = (random: Prng, session: OpenSession): ReadonlyArray<Input> => {
  const roll = random.next()
  const calls = owed(session)
  const interrupt: Input = { _tag: "Interrupt", inputId: eventId(random), threadId: thread(random, session) }
  if (roll < 0.4 && calls.length === 0) return [message(random, session)]
  if (roll < 0.4) {
    // Mostly one answer, sometimes all that are owed at once.
    return random.chance(0.3) ? calls.map((call) => answer(random, call)) : [answer(random, random.pick(calls))]
  }
  if (roll < 0.45) return [interrupt]
  if (roll < 0.48) return [interrupt, message(random, session)]
  if (roll < 0.58) {
    const system: Input = { _tag: "SystemMessage", inputId: eventId(random), content: text("be brief") }
    if (random.chance(0.3)) return [system]
    const before = random.chance(0.3) ? interrupt : message(random, session)
    return [before, { ...system, follows: before.inputId }]
  }
  if (roll < 0.6) {
    const outcomeId = mintId(random, "Outcome") as OutcomeId
    return [{ _tag: "Outcome", inputId: eventId(random), outcomeId, description: "d", rubric: {}, maxIterations: 1 }]
  }
  if (roll < 0.63) {
    const one = message(random, session)
    return [one, random.chance(0.3) ? one : message(random, session), message(random, session)]
  }
  if (roll < 0.65) {
    const known = session.threads.flatMap(({ queue, turn }) => [...queue, ...(turn?.steers ?? [])])[0]
    if (known !== undefined) return [{ ...message(random, session), turnId: known.turnId } as Input]
  }
  if (roll < 0.67) return [answer(random, { ...noCall, callId: eventId(random) })]
  return [message(random, session)]
}

const noCall = { awaits: "confirmation", executor: "sandbox" } as Call

const onTimer = (random: Prng, session: OpenSession): SessionCommand => {
  const timer = session.timers[0]
  if (timer !== undefined && random.chance(0.5)) return { _tag: "CancelTimer", timerId: timer.timerId }
  const timerId = timer !== undefined && random.chance(0.2) ? timer.timerId : (mintId(random, "Timer") as TimerId)
  if (random.chance(0.1)) return { _tag: "CancelTimer", timerId: mintId(random, "Timer") as TimerId }
  return { _tag: "SetTimer", timerId, dueAt: 1_000 * random.int(200), name: "t", payload: null }
}

const onThreads = (random: Prng, session: OpenSession): SessionCommand => {
  if (session.threads.length >= 2 && random.chance(0.6)) {
    return { _tag: "ArchiveThread", threadId: random.pick(session.threads).threadId }
  }
  const threadId = random.chance(0.1) ? session.primary : (mintId(random, "Thread") as ThreadId)
  return { _tag: "OpenThread", threadId, name: "second", parentThreadId: session.primary, agent: null }
}

const onResources = (random: Prng, session: OpenSession): SessionCommand => {
  const known = session.resources[0]
  const resourceId = known === undefined || random.chance(0.25) ? (mintId(random, "Resource") as ResourceId) : known
  switch (random.int(3)) {
    case 0:
      return { _tag: "AddResource", resource: fileOf(resourceId) }
    case 1:
      return { _tag: "RefreshResource", resourceId, details: {} }
    default:
      return { _tag: "RemoveResource", resourceId }
  }
}

const betweenThreads = (random: Prng, session: OpenSession): SessionCommand => ({
  _tag: "MessageThread",
  fromThreadId: session.primary,
  threadId: random.pick(session.threads).threadId,
  turnId: mintId(random, "Turn") as TurnId,
  messageId: eventId(random),
  content: text("from a thread")
})

const update = (random: Prng): SessionCommand => {
  const roll = random.next()
  const title = roll < 0.1 ? `a${nul}title` : roll < 0.2 ? "x".repeat(10_000) : "a title"
  return { _tag: "Update", title, metadata: { a: String(random.int(3)) } }
}

/** Something a client might send to a session in this state: mostly sensible, sometimes not. */
export const drawBody = (
  random: Prng,
  sessionId: SessionId,
  state: SessionState,
  workspaceId?: WorkspaceId
): SessionCommand => {
  if (state._tag === "NotOpened" || random.chance(0.01)) {
    const open = openCommand(random, sessionId, workspaceId)
    return random.chance(0.9) ? open : { _tag: "Send", inputs: [message(random, null)] }
  }
  const roll = random.next()
  if (roll < 0.54) return { _tag: "Send", inputs: inputs(random, state) }
  if (roll < 0.55) return { _tag: "ChangePolicies", policies: [{ type: "always_ask" }] }
  if (roll < 0.67) {
    const found = queued(random, state)
    return found === undefined ? { _tag: "Send", inputs: [message(random, state)] } : onQueue(random, state, found)
  }
  if (roll < 0.71) return { _tag: "Pause" }
  if (roll < 0.78) return { _tag: "Resume" }
  if (roll < 0.84) return retry(random, state)
  if (roll < 0.86) return update(random)
  if (roll < 0.89 && (state.budget.length > 0 || random.chance(0.2))) {
    return { _tag: "ChangeBudget", budget: drawBudget(random).map((one) => ({ ...one, max: one.max * 3 })) }
  }
  if (roll < 0.925) return onThreads(random, state)
  if (roll < 0.935) return betweenThreads(random, state)
  if (roll < 0.95) return onResources(random, state)
  if (roll < 0.96) return onTimer(random, state)
  if (roll < 0.965) return { _tag: "NoteFork", childId: mintId(random, "Session") as SessionId, seq: random.int(5) }
  if (roll < 0.97) return { _tag: "Reconfigure", threadId: null, changes: { model: "other" }, digest: zeros }
  if (roll < 0.98) {
    return { _tag: "RequestRedaction", seqs: [random.int(5)], reason: "asked", replacements: [zeros] }
  }
  if (random.chance(0.5)) return { _tag: "Send", inputs: [message(random, state)] }
  return random.chance(0.7) ? { _tag: "Archive" } : { _tag: "Delete" }
}

export const commandOf = (random: Prng, at: number, body: SessionCommand): Command => ({
  commandId: mintId(random, "Command") as CommandId,
  at,
  actor,
  correlationId: "0".repeat(32),
  body
})
