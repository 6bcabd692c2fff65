import {
  AttemptId,
  EventId,
  fromUuid,
  type IdKind,
  ModelRequestId,
  prefixes,
  ResourceId,
  RunnerId,
  SandboxId,
  SessionId,
  ThreadId,
  TimerId,
  TurnId
} from "../../src/Ids.ts"

/** What a builder lets one say otherwise. */
export type Part<A> = Partial<Omit<A, "_tag">>

/** The n-th id of its kind, the same in every run. */
export const nth = (kind: IdKind, n: number): string =>
  fromUuid(prefixes[kind], `00000000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`)

export const sessionId = (n = 1) => SessionId.make(nth("Session", n))
export const threadId = (n = 1) => ThreadId.make(nth("Thread", n))
export const turnId = (n: number) => TurnId.make(nth("Turn", n))
export const attemptId = (n: number) => AttemptId.make(nth("Attempt", n))
export const runnerId = (n = 1) => RunnerId.make(nth("Runner", n))
export const resourceId = (n: number) => ResourceId.make(nth("Resource", n))
export const requestId = (n: number) => ModelRequestId.make(nth("ModelRequest", n))
export const timerId = (n: number) => TimerId.make(nth("Timer", n))
export const sandboxId = (n = 1) => SandboxId.make(nth("Sandbox", n))
/** Inputs and calls have ids of one kind: two rows of numbers keep them apart. */
export const inputId = (n: number) => EventId.make(nth("Event", n))
export const callId = (n: number) => EventId.make(nth("Event", 2 ** 33 + n))
export const blockId = (n: number) => EventId.make(nth("Event", 2 ** 34 + n))
export const subagentId = (n: number) => EventId.make(nth("Event", 2 ** 35 + n))
export const hash = (n: number) => n.toString(16).padStart(64, "0")
