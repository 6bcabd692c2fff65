import type { EventId } from "@troupe/domain/Ids"
import type { Json, JsonObject } from "@troupe/domain/Json"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"

/** What every provider takes back: the strictest bound is forty characters. */
const taken = /^[A-Za-z0-9_-]{1,40}$/

/**
 * Calls by the ids that a provider is told: those that another one gave, unless they are of a shape that is not taken
 * everywhere or were given twice. A conversation may have been begun with another provider's model.
 */
export const callIds = (history: ReadonlyArray<HistoryItem>): ((callId: EventId) => string) => {
  const ids = new Map<EventId, string>()
  const used = new Set<string>()
  for (const item of history) {
    if (item.type !== "tool_call") continue
    const { callId, providerCallId } = item
    const id = taken.test(providerCallId) && !used.has(providerCallId) ? providerCallId : callId
    used.add(id)
    ids.set(callId, id)
  }
  return (callId) => ids.get(callId) ?? callId
}

/** Arguments as a provider takes them back. What a model wrote need not have been an object, or JSON at all. */
export const argumentsOf = (input: Json): JsonObject =>
  typeof input === "object" && input !== null && !Array.isArray(input) ? (input as JsonObject) : { value: input }
