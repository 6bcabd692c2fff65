import { Limits } from "../../src/Limits.ts"
import type { Input } from "../../src/session/Input.ts"
import type { Lifecycle } from "../../src/session/Opening.ts"
import type { BudgetLimit } from "../../src/session/Budget.ts"
import type { SessionCommand } from "../../src/session/SessionCommand.ts"
import type { Call, OpenSession, SessionState } from "../../src/session/SessionState.ts"
import {
  answer,
  archive,
  callId,
  confirmation,
  hash,
  inputId,
  interrupt,
  limit,
  message,
  messageThread,
  open,
  openThread,
  outcome,
  pause,
  remove,
  resource,
  resourceId,
  resume,
  result,
  send,
  sessionId,
  systemMessage,
  threadId,
  timerId,
  turnId
} from "./make.ts"
import type { Prng } from "../../../../test/support/Prng.ts"

/** New ids come from a wide range, so that a story keeps them when steps are dropped from it. */
const fresh = (random: Prng) => 100 + random.int(2 ** 31)
const metrics = ["tokens", "cost_micro_usd", "active_ms", "tool_calls", "model_requests"] as const

const budget = (random: Prng): ReadonlyArray<BudgetLimit> =>
  Array.from({ length: 1 + random.int(2) }, () => {
    const metric = random.pick(metrics)
    const unit = { tokens: 40, cost_micro_usd: 150, active_ms: 2_000, tool_calls: 2, model_requests: 2 }[metric]
    return limit(metric, unit * (1 + random.int(6)), {
      enforcement: random.pick(["hard", "soft"]),
      scope: random.pick(["session", "turn"])
    })
  })

/** Most sessions stay, or a story would often be over soon. */
const lifecycle = (random: Prng): Lifecycle => ({
  onIdle: random.weighted({ retain: 9, sleep: 0.5, delete: 0.5 }),
  keepFailed: random.chance(0.5),
  ttlMs: random.chance(0.05) ? 1 + random.int(60_000) : null
})

export const generateOpen = (random: Prng): SessionCommand =>
  open({
    budget: random.chance(0.4) ? budget(random) : [],
    lifecycle: lifecycle(random),
    inputs: random.chance(0.3) ? [message(fresh(random))] : [],
    ...(random.chance(0.1)
      ? { origin: { type: "fork", sessionId: sessionId(9), seq: 3, chain: hash(1) }, history: [{}] }
      : {})
  })

const aThread = (random: Prng, session: OpenSession) =>
  random.chance(0.03) ? threadId(99) : random.pick(session.threads).threadId

const aTurn = (random: Prng, session: OpenSession) => {
  const queued = session.threads.flatMap((thread) => thread.queue.map((turn) => turn.turnId))
  const running = session.threads.flatMap(({ failed, turn }) => [turn, ...(turn?.steers ?? []), failed])
  const others = running.flatMap((turn) => (turn === null ? [] : [turn.turnId]))
  if (queued.length > 0 && random.chance(0.8)) return random.pick(queued)
  return others.length > 0 && random.chance(0.8) ? random.pick(others) : turnId(99)
}

const aMessage = (random: Prng, session: OpenSession): Input => {
  const taken = random.chance(0.02) ? { turnId: aTurn(random, session) } : {}
  return message(fresh(random), {
    threadId: random.chance(0.4) ? null : aThread(random, session),
    mode: random.chance(0.25) ? "steer" : "queue",
    needsApproval: random.chance(0.08),
    ...(random.chance(0.02) ? { content: [] } : {}),
    ...taken
  })
}

const reply = (random: Prng, call: Call): Input => {
  const n = fresh(random)
  const id = { callId: call.callId }
  const decisions = [
    { type: "allow_once" },
    { type: "allow_session" },
    { type: "allow_edited", input: {}, inputDigest: hash(8) },
    { type: "deny", message: random.chance(0.5) ? "no" : null }
  ] as const
  const kind = random.chance(0.05) ? random.pick(["confirmation", "result", "answer"] as const) : call.awaits
  if (kind === "result") {
    const executor = call.executor === "worker" || random.chance(0.05) ? "worker" : "client"
    return { ...result(n, 0, executor), ...id }
  }
  return kind === "answer" ? { ...answer(n, 0), ...id } : { ...confirmation(n, 0, random.pick(decisions)), ...id }
}

const input = (random: Prng, session: OpenSession): Input => {
  const calls = session.threads.flatMap(({ turn }) => turn?.calls ?? [])
  switch (random.weighted({ message: 5, reply: calls.length > 0 ? 10 : 0, interrupt: 2, stray: 1 })) {
    case "message":
      return aMessage(random, session)
    case "reply": {
      const waiting = calls.filter((call) => call.awaits !== "nothing")
      return reply(random, random.pick(waiting.length > 0 && random.chance(0.9) ? waiting : calls))
    }
    case "interrupt": {
      const one = interrupt(fresh(random))
      return random.chance(0.5) ? one : { ...one, threadId: aThread(random, session) }
    }
    case "stray":
      return random.pick([
        systemMessage(fresh(random)),
        outcome(fresh(random)),
        { ...confirmation(fresh(random), 0), callId: callId(99) }
      ])
  }
}

const flood = (random: Prng): SessionCommand => {
  const first = 2 ** 32 + random.int(2 ** 24) * Limits.inputsPerCommandMax
  return send(...Array.from({ length: Limits.inputsPerCommandMax }, (_, index) => message(first + index)))
}

/** What a client might ask of a session in this state: mostly sensible, sometimes not. */
export const generateCommand = (random: Prng, state: SessionState): SessionCommand => {
  if (state._tag === "NotOpened") return random.chance(0.8) ? generateOpen(random) : send(message(fresh(random)))
  const session = state
  const versions = session.threads.map((thread) => thread.queueVersion)
  const queued = () => ({
    turnId: aTurn(random, session),
    queueVersion: random.chance(0.6) ? null : random.pick(versions)
  })
  const kind = random.weighted({
    Send: 30,
    EditTurn: 2,
    MoveTurn: 2,
    WithdrawTurn: 2,
    ApproveTurn: 3,
    SteerTurn: 2,
    RetryTurn: 4,
    Pause: 2.5,
    Resume: 4,
    Update: 1,
    Reconfigure: 1,
    ChangeBudget: 2,
    ChangePolicies: 0.5,
    AddResource: 1,
    RemoveResource: 0.5,
    RefreshResource: 0.5,
    MessageThread: 2,
    OpenThread: 2,
    ArchiveThread: 1,
    SetTimer: 2,
    CancelTimer: 1,
    NoteFork: 1,
    RequestRedaction: 1,
    Archive: 0.15,
    Delete: 0.15,
    Open: 0.2,
    flood: 0.1
  })
  switch (kind) {
    case "Send": {
      const inputs = Array.from({ length: random.chance(0.8) ? 1 : 2 }, () => input(random, session))
      const last = inputs.at(-1)!
      const follows = random.chance(0.95) ? last.inputId : inputId(99)
      return send(...inputs, ...(random.chance(0.15) ? [{ ...systemMessage(fresh(random)), follows }] : []))
    }
    case "flood":
      return flood(random)
    case "EditTurn":
      return { _tag: kind, ...queued(), overrides: { model: random.pick(["a", "b"]) } }
    case "MoveTurn":
      return { _tag: kind, ...queued(), before: random.chance(0.3) ? null : aTurn(random, session) }
    case "WithdrawTurn":
    case "ApproveTurn":
    case "SteerTurn":
      return { _tag: kind, ...queued() }
    case "RetryTurn":
      return { _tag: kind, turnId: aTurn(random, session) }
    case "Pause":
      return pause
    case "Resume":
      return resume
    case "Update":
      return { _tag: kind, metadata: { [random.pick(["a", "b"])]: random.pick(["1", null]) } }
    case "Reconfigure":
      return {
        _tag: kind,
        threadId: random.chance(0.5) ? null : aThread(random, session),
        changes: {},
        digest: hash(random.int(9))
      }
    case "ChangeBudget":
      return { _tag: kind, budget: random.chance(0.2) ? [] : budget(random) }
    case "ChangePolicies":
      return { _tag: kind, policies: random.chance(0.5) ? [] : [{ type: "always_ask" }] }
    case "AddResource":
      return { _tag: kind, resource: resource(random.int(4)) }
    case "RemoveResource":
      return { _tag: kind, resourceId: resourceId(random.int(4)) }
    case "RefreshResource":
      return { _tag: kind, resourceId: resourceId(random.int(4)), details: {} }
    case "MessageThread":
      return {
        ...messageThread(fresh(random), 1, 1),
        fromThreadId: session.primary,
        threadId: aThread(random, session)
      }
    case "OpenThread":
      return openThread(2)
    case "ArchiveThread":
      return { _tag: kind, threadId: aThread(random, session) }
    case "SetTimer":
      return {
        _tag: kind,
        timerId: timerId(random.int(4)),
        dueAt: 1_000_000 + random.int(60_000),
        name: "t",
        payload: null
      }
    case "CancelTimer":
      return { _tag: kind, timerId: timerId(random.int(4)) }
    case "NoteFork":
      return { _tag: kind, childId: sessionId(2 + random.int(3)), seq: random.int(20) }
    case "RequestRedaction":
      return { _tag: kind, seqs: [random.int(20)], reason: "asked to", replacements: [hash(1)] }
    case "Archive":
      return archive
    case "Delete":
      return remove
    case "Open":
      return generateOpen(random)
  }
}
