import * as Codec from "@troupe/domain/session/Codec"
import { fold } from "@troupe/domain/session/evolve"
import { Option, Result } from "effect"
import type { ClientCall, Evidence, Violation } from "./Evidence.ts"

/** INV-1, INV-2, INV-4: what clients were told is what the log holds, once. */
export function* commands({ calls, sessions }: Evidence): Generator<Violation> {
  const logs = new Map(sessions.map((session) => [session.sessionId, session]))
  const answers = new Map<string, Array<ClientCall>>()
  for (const call of calls) {
    const key = `${call.sessionId} ${call.commandId}`
    const list = answers.get(key)
    if (list === undefined) answers.set(key, [call])
    else list.push(call)
  }
  for (const list of answers.values()) {
    const { commandId, sessionId } = list[0]!
    const broken = (invariant: string, detail: string): Violation => ({ invariant, sessionId, detail })
    const log = logs.get(sessionId)
    const marked = (log?.events ?? []).filter((event) => event.commandId === commandId)
    const caused = (log?.events ?? []).some((event) => event.causationId === commandId)
    const accepted = list.filter((call) => call.answer._tag === "Accepted")
    const rejected = list.filter((call) => call.answer._tag === "Rejected")
    if (marked.length > 1) yield broken("INV-2", `${commandId} is in the log ${marked.length} times`)
    for (const { answer } of accepted) {
      if (marked.length === 0) yield broken("INV-1", `${commandId} was accepted and is not in the log`)
      else if (answer._tag === "Accepted" && answer.seq !== marked[0]!.seq) {
        yield broken("INV-2", `${commandId} was answered ${answer.seq}, the log says ${marked[0]!.seq}`)
      }
    }
    if (accepted.length > 0 && rejected.length > 0) yield broken("INV-2", `${commandId} got two different answers`)
    if (rejected.length > 0 && caused) yield broken("INV-4", `${commandId} was rejected and is in the log`)
    const digests = new Set(list.filter((call) => call.answer._tag !== "Reused").map((call) => call.digest))
    const told = new Set(accepted.map((call) => call.digest))
    if (told.size > 1) yield broken("INV-2", `${commandId} was accepted with ${digests.size} bodies`)
  }
}

/** INV-1: an input that was taken in is taken up once, waits, was withdrawn, or its session ended. Nothing loses it. */
export function* messages({ sessions }: Evidence): Generator<Violation> {
  for (const { events, sessionId } of sessions) {
    const broken = (detail: string): Violation => ({ invariant: "INV-1", sessionId, detail })
    const decoded = events.flatMap((event) => Option.getOrElse(Result.getSuccess(Codec.decodeStrict(event)), () => []))
    const state = fold(decoded)
    if (state._tag !== "Open") continue
    const waiting = new Set(
      state.threads.flatMap(({ queue, turn }) => [...queue, ...(turn?.steers ?? [])].map(({ inputId }) => inputId))
    )
    const withdrawn = new Set(decoded.flatMap((event) => (event._tag === "TurnWithdrawn" ? [event.turnId] : [])))
    const received = new Set<string>()
    const taken = new Map<string, number>()
    for (const event of decoded) {
      if (event._tag === "MessageReceived" || event._tag === "SystemMessageReceived") {
        if (received.has(event.inputId)) yield { ...broken(`${event.inputId} was received twice`), invariant: "INV-2" }
        received.add(event.inputId)
      }
      if (event._tag === "MessageTaken") taken.set(event.inputId, (taken.get(event.inputId) ?? 0) + 1)
    }
    const behind = new Set(state.threads.flatMap(({ systemMessages }) => systemMessages.map(({ inputId }) => inputId)))
    const withdrawnInputs = new Set(
      decoded.flatMap((event) => (event._tag === "TurnQueued" && withdrawn.has(event.turnId) ? [event.inputId] : []))
    )
    for (const event of decoded) {
      if (event._tag !== "SystemMessageQueued" || state.ended !== null) continue
      const { follows, inputId } = event
      const isThere = received.has(inputId) || behind.has(inputId) || withdrawnInputs.has(follows)
      if (!isThere) yield broken(`${inputId} was queued behind ${follows} and is nowhere`)
    }
    for (const event of decoded) {
      if (event._tag !== "MessageReceived" && event._tag !== "ThreadMessaged") continue
      const inputId = event._tag === "MessageReceived" ? event.inputId : event.messageId
      const times = taken.get(inputId) ?? 0
      if (times > 1) yield broken(`${inputId} was taken up ${times} times`)
      const left = times === 0 && !waiting.has(inputId) && !withdrawn.has(event.turnId)
      if (left && state.ended === null) yield broken(`${inputId} was received and is nowhere`)
    }
  }
}
