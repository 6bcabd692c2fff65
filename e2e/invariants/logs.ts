import * as Chain from "@troupe/domain/log/Chain"
import * as Codec from "@troupe/domain/session/Codec"
import { fold } from "@troupe/domain/session/evolve"
import { isDone } from "@troupe/domain/session/rest"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import { foldVersion, type SessionState } from "@troupe/domain/session/SessionState"
import * as Snapshot from "@troupe/domain/session/Snapshot"
import { sessionStatus, threadStatus, wakeAt } from "@troupe/domain/session/standing"
import type { Status } from "@troupe/domain/session/Status"
import * as Summary from "@troupe/domain/session/Summary"
import { Result } from "effect"
import { hash } from "node:crypto"
import { isDeepStrictEqual } from "node:util"
import type { Evidence, StoredSession, Violation } from "./Evidence.ts"

const sha256 = (text: string) => hash("sha256", text, "hex")

/** INV-3, INV-5: a session's log is dense, each command's events stand together, and epochs never fall. */
export function* order({ sessions }: Evidence): Generator<Violation> {
  for (const { claims, events, head, sessionId } of sessions) {
    for (const { epoch, version } of claims ?? []) {
      const late = events.find((event) => event.seq > version && event.epoch < epoch)
      if (late === undefined) continue
      const detail = `epoch ${late.epoch} wrote ${late.seq} after ${epoch} was taken at ${version}`
      yield { invariant: "INV-5", sessionId, detail }
    }
    const ended = new Set<string>()
    for (const [index, event] of events.entries()) {
      const broken = (invariant: string, detail: string) => ({ invariant, sessionId, detail })
      if (event.seq !== index + 1) yield broken("INV-3", `event ${index + 1} has seq ${event.seq}`)
      const before = events[index - 1]
      if (before === undefined) continue
      if (event.epoch < before.epoch) {
        yield broken("INV-5", `epoch ${event.epoch} at ${event.seq} after ${before.epoch}`)
      }
      if (event.recordedAt <= before.recordedAt) yield broken("INV-3", `time does not grow at ${event.seq}`)
      if (event.causationId === before.causationId) continue
      ended.add(before.causationId)
      if (ended.has(event.causationId)) yield broken("INV-3", `${event.causationId} is split at ${event.seq}`)
    }
    if (head.version !== events.length) {
      yield { invariant: "INV-3", sessionId, detail: `the head says ${head.version}, the log has ${events.length}` }
    }
  }
}

/** INV-10: the chain over every event is what it should be, up to the head. */
export function* chains({ secrets, sessions }: Evidence): Generator<Violation> {
  for (const { events, head, sessionId } of sessions) {
    let chain = Chain.genesis
    for (const event of events) {
      if (event.salt !== null && event.payload !== null) {
        if (Chain.commit(sha256, event.salt, event.payload) !== event.commitment) {
          yield { invariant: "INV-10", sessionId, detail: `the payload at ${event.seq} is not what was committed to` }
        }
        for (const secret of secrets) {
          if (event.payload.includes(secret))
            yield { invariant: "INV-13", sessionId, detail: `a secret at ${event.seq}` }
        }
      }
      chain = Chain.link(sha256, chain, event, event.commitment)
      if (chain !== event.chain) {
        yield { invariant: "INV-10", sessionId, detail: `the chain breaks at ${event.seq}` }
        break
      }
    }
    if (chain !== head.chain) yield { invariant: "INV-10", sessionId, detail: "the head's chain is another" }
  }
}

const read = (session: StoredSession): ReadonlyArray<SessionEvent> | string => {
  const events: Array<SessionEvent> = []
  for (const recorded of session.events) {
    const decoded = Codec.decodeStrict(recorded)
    if (Result.isFailure(decoded)) return decoded.failure.message
    events.push(decoded.success)
  }
  return events
}

const atRest: Status = { status: "idle", stop: { type: "end_turn" } }

/** What the log told readers last: of the session, and of each thread. */
const recordedStatuses = (events: ReadonlyArray<SessionEvent>): ReadonlyMap<string, unknown> => {
  const last = new Map<string, unknown>()
  for (const event of events) {
    if (event._tag !== "StatusChanged") continue
    if (event.session !== null) last.set("", event.session)
    for (const { status, stop, threadId } of event.threads) last.set(threadId, { status, stop })
  }
  return last
}

/** INV-6, INV-8, INV-9, INV-12 over what the log says happened. */
export function* states(evidence: Evidence): Generator<Violation> {
  for (const session of evidence.sessions) {
    const { sessionId } = session
    const broken = (invariant: string, detail: string): Violation => ({ invariant, sessionId, detail })
    const events = read(session)
    if (typeof events === "string") {
      yield broken("INV-8", events)
      continue
    }
    yield* outcomes(sessionId, events, evidence.settled)
    const state = fold(events)
    const { snapshot, summary } = session
    if (snapshot !== null && snapshot.foldVersion === foldVersion) {
      const resumed = fold(events.slice(snapshot.version), JSON.parse(Snapshot.jsonIn(snapshot.state)) as SessionState)
      if (!isDeepStrictEqual(JSON.parse(JSON.stringify(resumed)), JSON.parse(JSON.stringify(state)))) {
        yield broken("INV-8", `the snapshot at ${snapshot.version} leads elsewhere`)
      }
    }
    if (state._tag !== "Open") continue
    if (summary === null) yield broken("INV-8", "there is no list row")
    else if (!Summary.equals(summary, Summary.summarize(state, summary.updatedAt))) {
      yield broken("INV-8", "the list row says something else than the log")
    }
    const recorded = recordedStatuses(events)
    const said = (what: string, derived: Status, key: string): ReadonlyArray<Violation> => {
      const last = recorded.get(key) ?? atRest
      if (isDeepStrictEqual(JSON.parse(JSON.stringify(last)), JSON.parse(JSON.stringify(derived)))) return []
      return [broken("INV-9", `${what} was recorded ${JSON.stringify(last)}, and is ${JSON.stringify(derived)}`)]
    }
    yield* said("the session", sessionStatus(state), "")
    for (const thread of state.threads) {
      const derived = threadStatus(state, thread)
      const { status } = derived
      yield* said(thread.threadId, derived, thread.threadId)
      if (status === "running" && thread.turn === null) yield broken("INV-9", `${thread.threadId} runs without a turn`)
      if (evidence.settled && (status === "running" || status === "rescheduling")) {
        yield broken("INV-9", `${thread.threadId} is still ${status}: ${thread.turn?.phase._tag}`)
      }
      if (evidence.settled && thread.turn !== null && thread.turn.interrupt !== null) {
        yield broken("INV-9", `${thread.turn.turnId} was interrupted and goes on`)
      }
    }
    if (evidence.settled && wakeAt(state) === 0) yield broken("INV-9", "it still wants to be woken")
    if (isDone(state)) yield broken("INV-9", "it lives for its turns, has done them, and is still there")
  }
}

/** By then an attempt has ended, with all that worked for it. */
const attemptEnds: ReadonlySet<SessionEvent["_tag"]> = new Set([
  "TurnSuspended",
  "TurnRescheduled",
  "RetryAsked",
  "TurnInterrupted",
  "TurnCompleted",
  "TurnFailed",
  "AttemptStarted"
])

function* outcomes(sessionId: string, events: ReadonlyArray<SessionEvent>, settled: boolean): Generator<Violation> {
  const broken = (invariant: string, detail: string): Violation => ({ invariant, sessionId, detail })
  const starts = new Map<string, number>()
  const ends = new Map<string, number>()
  const requests = new Map<string, number>()
  const attempts = new Set<string>()
  const subagents = new Set<string>()
  /** Sub-agents that work, by the turn that they do. */
  const working = new Map<string, string>()
  let tokens = 0
  let cost = 0
  const add = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1)
  for (const event of events) {
    if (event._tag === "ToolStarted") add(starts, event.callId)
    if (event._tag === "ToolFinished" || event._tag === "ToolAnswered" || event._tag === "QuestionAnswered") {
      add(ends, event.callId)
    }
    if (event._tag === "ModelRequestStarted") requests.set(event.requestId, 0)
    if (event._tag === "ModelRequestEnded") {
      add(requests, event.requestId)
      tokens += event.usage.inputTokens + event.usage.outputTokens
      cost += event.usage.costMicroUsd ?? 0
    }
    if (event._tag === "SubagentStarted") {
      if (subagents.has(event.subagentId)) yield broken("INV-6", `sub-agent ${event.subagentId} started twice`)
      subagents.add(event.subagentId)
      working.set(event.subagentId, event.turnId)
    }
    if (event._tag === "SubagentEnded" && !working.delete(event.subagentId)) {
      yield broken("INV-6", `sub-agent ${event.subagentId} ended and did not work`)
    }
    if (attemptEnds.has(event._tag) && "turnId" in event) {
      for (const [subagentId, turnId] of working) {
        if (turnId === event.turnId) yield broken("INV-6", `sub-agent ${subagentId} outlived its attempt`)
      }
    }
    if (event._tag === "AttemptStarted") {
      if (attempts.has(event.attemptId)) yield broken("INV-6", `attempt ${event.attemptId} started twice`)
      attempts.add(event.attemptId)
    }
  }
  if (settled) for (const id of working.keys()) yield broken("INV-6", `sub-agent ${id} started and never ended`)
  for (const [callId, count] of starts) {
    if (count > 1) yield broken("INV-6", `${callId} started ${count} times`)
    if (settled && ends.get(callId) === undefined) yield broken("INV-6", `${callId} started and never ended`)
  }
  for (const [callId, count] of ends) if (count > 1) yield broken("INV-6", `${callId} ended ${count} times`)
  for (const [requestId, count] of requests) {
    if (count > 1 || (settled && count === 0)) yield broken("INV-12", `${requestId} has ${count} usage records`)
  }
  const state = fold(events)
  if (state._tag !== "Open") return
  const { costMicroUsd, inputTokens, outputTokens, toolCalls } = state.totals
  if (inputTokens + outputTokens !== tokens || costMicroUsd !== cost) {
    yield broken("INV-12", "the totals are not the sum of the usage records")
  }
  const started = [...starts.values()].reduce((sum, count) => sum + count, 0)
  if (toolCalls !== started) yield broken("INV-12", `${toolCalls} calls are counted, and ${started} were started`)
}
