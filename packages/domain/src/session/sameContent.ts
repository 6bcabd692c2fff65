import type { SessionEvent } from "./SessionEvent.ts"

/** What of an event tells whose content it carries. */
interface Carrier {
  readonly seq: number
  readonly event: SessionEvent
}

const messageOf = (event: SessionEvent): string | null => {
  switch (event._tag) {
    case "MessageReceived":
    case "MessageTaken":
    case "SystemMessageQueued":
    case "SystemMessageReceived":
      return event.inputId
    case "ThreadMessaged":
      return event.messageId
    default:
      return null
  }
}

/** The input of each event that carries a message's content: as it came, as it was edited, as it was taken up. */
const inputsBySeq = (log: Iterable<Carrier>): ReadonlyMap<number, string> => {
  const inputs = new Map<number, string>()
  const byTurn = new Map<string, string>()
  for (const { event, seq } of log) {
    const edited = event._tag === "TurnEdited" && event.content !== undefined
    const inputId = edited ? byTurn.get(event.turnId) : messageOf(event)
    if (inputId == null) continue
    inputs.set(seq, inputId)
    if (event._tag === "MessageReceived" || event._tag === "ThreadMessaged") byTurn.set(event.turnId, inputId)
  }
  return inputs
}

/** Whether it names a request to a model, or its answer, that was kept: each request says the conversation before it again. */
const isKept = (event: SessionEvent): boolean =>
  (event._tag === "ModelRequestStarted" && event.request !== null) ||
  (event._tag === "ModelRequestEnded" && event.response !== null)

/**
 * The places besides `seqs` that carry the content of the same inputs: who names one of them means all, and what was kept of
 * later requests to models with them.
 */
export const alsoCarrying = (log: ReadonlyArray<Carrier>, seqs: ReadonlyArray<number>): ReadonlyArray<number> => {
  const inputs = inputsBySeq(log)
  const named = new Set(seqs)
  const wanted = new Set(seqs.flatMap((seq) => inputs.get(seq) ?? []))
  const same = [...inputs].flatMap(([seq, inputId]) => (wanted.has(inputId) && !named.has(seq) ? [seq] : []))
  const first = Math.min(...same, ...seqs)
  const kept = log.flatMap(({ event, seq }) => (seq > first && isKept(event) && !named.has(seq) ? [seq] : []))
  return [...same, ...kept]
}

/** Fields that say what kind of thing a value is, whatever it says. */
const kinds: ReadonlySet<string> = new Set(["_tag", "type", "mediaType"])

/** All texts inside a value. */
const texts = (value: unknown): ReadonlyArray<string> => {
  if (typeof value === "string") return [value]
  if (typeof value !== "object" || value === null) return []
  return Object.entries(value).flatMap(([name, part]) => (kinds.has(name) ? [] : texts(part)))
}

/** Shorter ones are said by anybody: only the whole of a text tells then. */
const tellingLength = 16

/** Whether a value holds any text that a redaction takes from an event. */
export const holdsTextOf = (value: unknown, event: SessionEvent, redacted: SessionEvent): boolean => {
  const left = new Set(texts(redacted))
  const taken = texts(event).filter((one) => one !== "" && !left.has(one))
  if (taken.length === 0) return false
  return texts(value).some((own) =>
    taken.some((one) => own === one || (one.length >= tellingLength && own.includes(one)))
  )
}
