import type { LogEvent } from "@troupe/client"

/** Events that say what became of a call that waited for somebody, and of the turn it waited in. */
export const tellingTypes = [
  "ToolRequested",
  "ToolConfirmed",
  "ToolAnswered",
  "QuestionAnswered",
  "ToolFinished",
  "TurnCompleted",
  "TurnInterrupted",
  "TurnFailed",
  "TurnRetried"
] as const

/** What became of a call: who said so (null where nobody did), when, and how. */
export interface Outcome {
  readonly how: string
  readonly by: LogEvent["actor"] | null
  readonly at: number
}

type Fields = Readonly<Record<string, unknown>>

const decided: Readonly<Record<string, string>> = {
  allow_once: "It was allowed, once",
  allow_session: "It was allowed for the session",
  allow_edited: "It was allowed, with other arguments",
  deny: "It was denied",
  expired: "Nobody answered in time"
}

const textOf = (answer: unknown): string => (typeof answer === "string" ? answer : JSON.stringify(answer))

const ofDecision = ({ actor, payload, recorded_at }: LogEvent): Outcome => {
  const { message, type } = (payload as Fields)["decision"] as { readonly type: string; readonly message?: unknown }
  const words = typeof message === "string" ? `: ${message}` : ""
  return {
    how: `${decided[type] ?? type}${words}`,
    by: type === "expired" ? null : actor,
    at: Date.parse(recorded_at)
  }
}

/** What an event says of a call; null where it is about another one. */
const outcomeIn = (event: LogEvent, callId: string, turnId: unknown): Outcome | null => {
  const { actor, payload, recorded_at, type } = event
  const fields = (payload ?? {}) as Fields
  const at = Date.parse(recorded_at)
  if (fields["callId"] === callId) {
    switch (type) {
      case "ToolConfirmed":
        return ofDecision(event)
      case "ToolAnswered":
        return { how: "It was answered", by: actor, at }
      case "QuestionAnswered":
        return { how: `It was answered: ${textOf(fields["answer"])}`, by: actor, at }
      case "ToolFinished":
        return { how: "It ended before anybody answered", by: null, at }
    }
  }
  return type.startsWith("Turn") && turnId !== undefined && fields["turnId"] === turnId
    ? { how: "Its turn ended before anybody answered", by: null, at }
    : null
}

/** What became of a call, by what the log says from where it was asked; null while it waits. */
export const outcomeOf = async (
  callId: string,
  log: AsyncIterable<LogEvent> | Iterable<LogEvent>
): Promise<Outcome | null> => {
  let turnId: unknown
  for await (const event of log) {
    if (event.type === "ToolRequested") {
      if (event.payload?.["callId"] === callId) turnId = event.payload["turnId"]
      continue
    }
    const outcome = outcomeIn(event, callId, turnId)
    if (outcome !== null) return outcome
  }
  return null
}

/** Who did something, with the names of keys where they are known. */
export const whoOf = (actor: LogEvent["actor"], keys: ReadonlyMap<string, string>): string => {
  switch (actor.type) {
    case "api_key":
      return keys.has(actor.id) ? `the key “${keys.get(actor.id)}”` : `the key ${actor.id}`
    case "end_user":
      return actor.subject
    case "thread":
      return "another thread"
    case "system":
      return "the system"
    default:
      return `${actor.type} ${actor.id}`
  }
}
