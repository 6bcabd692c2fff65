import { Schema } from "effect"
import type { EventId, ThreadId } from "../Ids.ts"
import type { Json, JsonObject } from "../Json.ts"
import { text, unknownOutcomeText, type Content } from "./Content.ts"
import { HistoryItem, type HistoryItemOf } from "./HistoryItem.ts"
import type { SessionEvent } from "./SessionEvent.ts"
import * as Trail from "./Trail.ts"

/** An event at its place in the log. */
export interface Placed {
  readonly seq: number
  readonly recordedAt: number
  readonly event: SessionEvent
}

type Result = Omit<HistoryItemOf<"tool_result">, "type" | "providerCallId">

/** What the log said, in its order. What belongs together is brought together when it is read. */
type Entry = { readonly seq: number } & (
  | { readonly kind: "item"; readonly item: HistoryItem; readonly turnId: string | null }
  | { readonly kind: "result"; readonly result: Result }
  | { readonly kind: "edited"; readonly callId: EventId; readonly input: Json }
  | { readonly kind: "started"; readonly callId: EventId }
  /** A model request or an attempt begins: words that were cut off before it were said again. */
  | { readonly kind: "again"; readonly turnId: string }
  | { readonly kind: "rewound"; readonly callIds: ReadonlyArray<EventId> }
)

/** The conversation of one thread, folded from the log. */
export interface History {
  /** Null until the session opens: then it is the primary thread. */
  readonly threadId: ThreadId | null
  readonly entries: Trail.Trail<Entry>
}

/** Before the first event, of a thread or (without one) of the primary thread. */
export const initial = (threadId: ThreadId | null = null): History => ({ threadId, entries: Trail.empty() })

const isItem = Schema.is(HistoryItem)

const add = (history: History, ...entries: ReadonlyArray<Entry>): History => ({
  ...history,
  entries: entries.reduce(Trail.append<Entry>, history.entries)
})

const answerText = (answer: Json): string => (typeof answer === "string" ? answer : JSON.stringify(answer))

const copied = (items: ReadonlyArray<JsonObject>, seq: number): ReadonlyArray<Entry> =>
  items.flatMap((item): ReadonlyArray<Entry> => {
    if (!isItem(item)) return []
    if (item.type !== "tool_result") return [{ kind: "item", seq, item, turnId: null }]
    const { providerCallId: _, type: __, ...result } = item
    return [{ kind: "result", seq, result }]
  })

const isInteger = (value: unknown): value is number => Number.isSafeInteger(value)

/** What the next event adds to the conversation. */
export const apply = (history: History, { event, seq }: Placed): History => {
  if (event._tag === "SessionOpened") {
    return history.threadId === null ? { ...history, threadId: event.threadId } : history
  }
  if (!("threadId" in event) || event.threadId !== history.threadId) return history
  const say = (item: HistoryItem) =>
    add(history, { kind: "item", seq, item, turnId: "turnId" in event ? event.turnId : null })
  const result = (value: Result) => add(history, { kind: "result", seq, result: value })

  switch (event._tag) {
    case "HistoryCopied":
      return add(history, ...copied(event.items, seq))
    case "MessageTaken":
      return say({ type: "user", inputId: event.inputId, from: event.from ?? null, content: event.content })
    case "SystemMessageReceived":
      return say({ type: "system", inputId: event.inputId, content: event.content })
    case "MessageBlock": {
      const { blockId, content, partial, requestId } = event
      return say({ type: "assistant", blockId, requestId, content, partial })
    }
    case "ThinkingBlock": {
      const { blockId, opaque, partial, requestId } = event
      // Unfinished thinking lacks the signature that providers ask for, and says nothing to anybody else.
      return partial ? history : say({ type: "thinking", blockId, requestId, text: event.text, opaque })
    }
    case "ToolRequested": {
      // The model asked for the call that asks; what people say to that comes with its result.
      if (event.within !== undefined) return history
      const { callId, input, name, providerCallId, requestId, server } = event
      return say({ type: "tool_call", callId, requestId, providerCallId, name, server, input })
    }
    case "ToolConfirmed":
      return event.decision.type === "allow_edited"
        ? add(history, { kind: "edited", seq, callId: event.callId, input: event.decision.input })
        : history
    case "ToolStarted":
      return add(history, { kind: "started", seq, callId: event.callId })
    case "ToolFinished": {
      const { callId, content, details, isError, outcome } = event
      const exitCode = details?.["exitCode"]
      return result({ callId, content, isError, outcome, ...(isInteger(exitCode) ? { exitCode } : {}) })
    }
    case "ToolAnswered": {
      const { callId, content, isError } = event
      return result({ callId, content, isError, outcome: isError ? "failed" : "succeeded" })
    }
    case "QuestionAnswered":
      return result({
        callId: event.callId,
        content: text(answerText(event.answer)),
        isError: false,
        outcome: "succeeded"
      })
    case "AttemptStarted":
    case "ModelRequestStarted":
      return add(history, { kind: "again", seq, turnId: event.turnId })
    case "WorkingCopyRewound":
      return add(history, { kind: "rewound", seq, callIds: event.callIds })
    case "ContextCompacted":
      return compacted(history, event.uptoSeq === 0 ? seq - 1 : event.uptoSeq, event.summary)
    default:
      return history
  }
}

/** The summary takes the place of everything up to a place in the log. */
const compacted = (history: History, uptoSeq: number, summary: Content): History => {
  const item: HistoryItem = { type: "summary", content: summary }
  const kept = Trail.toArray(history.entries).filter((entry) => entry.seq > uptoSeq)
  // It stands where what it sums up ended, so that the next summary takes it in.
  return add({ ...history, entries: Trail.empty() }, { kind: "item", seq: uptoSeq, item, turnId: null }, ...kept)
}

const pendingText = "This call has not run."

/** Calls without an outcome in the log, in their order: what a new attempt has to deal with before it asks the model. */
export const pending = (history: History): ReadonlyArray<EventId> => {
  const entries = Trail.toArray(history.entries)
  const done = new Set(entries.flatMap((entry) => (entry.kind === "result" ? [entry.result.callId] : [])))
  return entries.flatMap((entry) =>
    entry.kind === "item" && entry.item.type === "tool_call" && !done.has(entry.item.callId) ? [entry.item.callId] : []
  )
}

const requestOf = (item: HistoryItem): string | null => ("requestId" in item ? item.requestId : null)

/**
 * The conversation as a model takes it: what one response said stands together and is followed by the results of its
 * calls, one each; what came in between stands behind them. A call whose outcome is not in the log yet gets a result that
 * says so.
 */
export const conversation = (history: History): ReadonlyArray<HistoryItem> => {
  const entries = Trail.toArray(history.entries)
  const results = new Map<string, Result>()
  const edits = new Map<string, Json>()
  const started = new Set<string>()
  const names = new Map<string, string>()
  const again = new Map<string, number>()
  const responses = new Map<string, Array<HistoryItem>>()

  for (const entry of entries) {
    if (entry.kind === "result" && !results.has(entry.result.callId)) results.set(entry.result.callId, entry.result)
    if (entry.kind === "edited") edits.set(entry.callId, entry.input)
    if (entry.kind === "started") started.add(entry.callId)
    if (entry.kind === "again") again.set(entry.turnId, entry.seq)
  }
  const repeated = (entry: Entry): boolean =>
    entry.kind === "item" &&
    entry.item.type === "assistant" &&
    entry.item.partial &&
    entry.turnId !== null &&
    (again.get(entry.turnId) ?? 0) > entry.seq
  for (const entry of entries) {
    if (entry.kind !== "item" || repeated(entry)) continue
    const { item } = entry
    if (item.type === "tool_call") names.set(item.callId, item.name)
    const request = requestOf(item)
    if (request === null) continue
    const response = responses.get(request)
    if (response === undefined) responses.set(request, [item])
    else response.push(item)
  }

  const items: Array<HistoryItem> = []
  const respond = (response: ReadonlyArray<HistoryItem>): void => {
    const calls = response.filter((item) => item.type === "tool_call")
    for (const item of response) {
      const edited = item.type === "tool_call" ? edits.get(item.callId) : undefined
      items.push(edited === undefined ? item : ({ ...item, editedInput: edited } as HistoryItem))
    }
    for (const { callId, providerCallId } of calls) {
      const missing: Result = started.has(callId)
        ? { callId, outcome: "unknown", content: text(unknownOutcomeText), isError: true }
        : { callId, outcome: "pending", content: text(pendingText), isError: true }
      items.push({ type: "tool_result", providerCallId, ...(results.get(callId) ?? missing) })
    }
  }
  for (const entry of entries) {
    if (entry.kind === "rewound") items.push(rewound(entry.callIds, names))
    if (entry.kind !== "item" || repeated(entry)) continue
    const request = requestOf(entry.item)
    if (request === null) {
      if (entry.item.type === "tool_call") respond([entry.item])
      else items.push(entry.item)
    } else if (responses.has(request)) {
      respond(responses.get(request)!)
      responses.delete(request)
    }
  }
  return items
}

const rewound = (callIds: ReadonlyArray<EventId>, names: ReadonlyMap<string, string>): HistoryItem => {
  const calls = callIds.map((callId) => names.get(callId) ?? callId).join(", ")
  const lost = calls === "" ? "" : ` What these calls changed there is gone: ${calls}.`
  return {
    type: "note",
    code: "working_copy_rewound",
    text: `The working copy was restored to an earlier state.${lost}`
  }
}
