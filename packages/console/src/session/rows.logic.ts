import type {
  Timeline,
  TimelineCall,
  TimelineItem,
  TimelineQueued,
  TimelineThread,
  TimelineTurn
} from "@troupe/domain/session/Timeline"
import type { JsonObject } from "@troupe/domain/Json"
import type { Changes } from "@troupe/domain/session/Changes"
import type { Writing } from "./writing.logic.ts"
import { type Place, placeOf } from "./queue/queue.logic.ts"

type ItemOf<Kind extends TimelineItem["kind"]> = Extract<TimelineItem, { readonly kind: Kind }>

interface Note {
  readonly text: string
  readonly tone: "plain" | "warn"
  /** The MCP server that somebody has to connect to. */
  readonly toConnect?: string
}

/** One line of the timeline, as tall as what it shows. */
export type Row = { readonly key: string; readonly seq: number } & (
  | { readonly kind: "message"; readonly item: ItemOf<"message"> }
  | { readonly kind: "text"; readonly item: ItemOf<"text"> }
  | { readonly kind: "thinking"; readonly item: ItemOf<"thinking"> }
  | { readonly kind: "calls"; readonly calls: ReadonlyArray<TimelineCall> }
  /** A call that waits for a person. */
  | { readonly kind: "asks"; readonly call: TimelineCall }
  | { readonly kind: "subagent"; readonly item: ItemOf<"subagent"> }
  | { readonly kind: "error"; readonly item: ItemOf<"error"> }
  | ({ readonly kind: "note" } & Note)
  | { readonly kind: "writing"; readonly text: string }
  | { readonly kind: "working"; readonly turn: TimelineTurn }
  | { readonly kind: "end"; readonly turn: TimelineTurn }
  | {
      readonly kind: "queued"
      readonly queued: TimelineQueued
      readonly where: Place
      readonly queue: ReadonlyArray<TimelineQueued>
    }
)
export type QueuedRowOf = Extract<Row, { readonly kind: "queued" }>

/** So many changed files are named. */
const namedMax = 3

export const asks = (call: TimelineCall): boolean =>
  call.outcome === null && (call.awaits === "confirmation" || call.awaits === "answer")

const retryText = (item: ItemOf<"retry">): string => {
  switch (item.why) {
    case "scheduled":
      return "It will be tried again by itself"
    case "asked":
      return "Whether a call happened is not known: trying again is yours to decide"
    case "queued":
      return "It will be tried again after what runs now"
    case "decided":
      return "Tried again"
  }
}

/** What a turn changed, and in which files where they are few. */
export const changesText = ({ added, deleted, files, isComplete, paths }: Changes): string => {
  const count = `${files}${isComplete ? "" : " or more"} ${files === 1 ? "file" : "files"}`
  const named = files <= namedMax ? `: ${paths.map(({ path }) => path).join(", ")}` : ""
  return `Changed ${count} (+${added} −${deleted})${paths.length === 0 ? "" : named}`
}

const serverIn = (details: JsonObject): string | null => {
  const { authorize } = details
  const id = typeof authorize === "object" && authorize !== null ? (authorize as JsonObject)["server_id"] : null
  return typeof id === "string" ? id : null
}

/** What the platform noted: files that it kept are no trouble, all else is. */
const notedText = ({ code, details, message }: ItemOf<"noted">): Note => {
  if (code === "output_collected") return { text: `Kept ${message} among the outputs`, tone: "plain" }
  const toConnect = serverIn(details)
  return { text: message, tone: "warn", ...(toConnect === null ? {} : { toConnect }) }
}

const noteOf = (item: TimelineItem): Note | null => {
  switch (item.kind) {
    case "noted":
      return notedText(item)
    case "retry":
      return { text: retryText(item), tone: item.why === "asked" ? "warn" : "plain" }
    case "interrupt":
      return { text: "Interrupt asked for", tone: "plain" }
    case "compacted":
      return { text: "The conversation was shortened to make room", tone: "plain" }
    case "rewound":
      return { text: `The working copy went back to where it was at event ${item.toSeq}`, tone: "warn" }
    case "captured":
      return item.changes === null || item.changes.files === 0
        ? null
        : { text: changesText(item.changes), tone: "plain" }
    case "request":
      return null
    default:
      return null
  }
}

/** Calls that follow one another, with nothing said between them, are one group. */
const rowsOfItems = (items: ReadonlyArray<TimelineItem>): ReadonlyArray<Row> => {
  const rows: Array<Row> = []
  let calls: Array<TimelineCall> = []
  const close = () => {
    const [first] = calls
    if (first !== undefined) rows.push({ kind: "calls", key: `calls-${first.seq}`, seq: first.seq, calls })
    calls = []
  }
  for (const item of items) {
    if (item.kind === "request" || (item.kind === "captured" && noteOf(item) === null)) continue
    if (item.kind === "call" && !asks(item)) {
      calls.push(item)
      continue
    }
    close()
    const { seq } = item
    const key = `${item.kind}-${seq}`
    const note = noteOf(item)
    if (note !== null) rows.push({ kind: "note", key, seq, ...note })
    else if (item.kind === "message") rows.push({ kind: "message", key, seq, item })
    else if (item.kind === "text") rows.push({ kind: "text", key, seq, item })
    else if (item.kind === "thinking") rows.push({ kind: "thinking", key, seq, item })
    else if (item.kind === "call") rows.push({ kind: "asks", key, seq, call: item })
    else if (item.kind === "subagent") rows.push({ kind: "subagent", key, seq, item })
    else if (item.kind === "error") rows.push({ kind: "error", key, seq, item })
  }
  close()
  return rows
}

// A turn that has not changed has the same rows: only what runs is looked at again.
const known = new WeakMap<TimelineTurn, ReadonlyArray<Row>>()

const rowsOfTurn = (turn: TimelineTurn): ReadonlyArray<Row> => {
  const before = known.get(turn)
  if (before !== undefined) return before
  const rows = [...rowsOfItems(turn.items)]
  const seq = turn.items.at(-1)?.seq ?? 0
  if (turn.endedAt !== null) rows.push({ kind: "end", key: `end-${turn.turnId}-${seq}`, seq, turn })
  known.set(turn, rows)
  return rows
}

/** The lines of turns, with nothing of what goes on beside them. */
export const rowsOfTurns = (turns: ReadonlyArray<TimelineTurn>): ReadonlyArray<Row> => turns.flatMap(rowsOfTurn)

const isWaiting = (turn: TimelineTurn) => turn.items.some((item) => item.kind === "call" && asks(item))

/** The lines of one thread, from its first message to what waits behind the last. */
export const rowsOf = (thread: TimelineThread, writing: Writing): ReadonlyArray<Row> => {
  const rows: Array<Row> = [...rowsOfTurns(thread.turns)]
  const seq = rows.at(-1)?.seq ?? 0
  for (const [blockId, { text }] of writing) rows.push({ kind: "writing", key: `writing-${blockId}`, seq, text })
  const current = thread.turns.at(-1)
  if (current !== undefined && current.endedAt === null && !isWaiting(current) && writing.size === 0) {
    rows.push({ kind: "working", key: `working-${current.turnId}`, seq, turn: current })
  }
  for (const queued of [...thread.steers, ...thread.inbox, ...thread.queue]) {
    const where = placeOf(thread, queued.inputId)
    rows.push({ kind: "queued", key: `queued-${queued.inputId}`, seq, queued, where, queue: thread.queue })
  }
  return rows
}

export const primaryOf = ({ threads }: Timeline): TimelineThread | null =>
  threads.find(({ parentThreadId }) => parentThreadId === null) ?? threads[0] ?? null

/** The turn that a thread has begun and not ended. */
export const currentTurn = (thread: TimelineThread | null): TimelineTurn | null => {
  const last = thread?.turns.at(-1)
  return last !== undefined && last.endedAt === null ? last : null
}

/** The first call that waits for a person: what the keys of the page answer. */
export const firstAsk = (thread: TimelineThread | null): TimelineCall | null =>
  (currentTurn(thread)?.items.find((item) => item.kind === "call" && asks(item)) as TimelineCall | undefined) ?? null

const verbs: Readonly<Record<string, readonly [one: string, many: string]>> = {
  bash: ["Ran a command", "Ran # commands"],
  read: ["Read a file", "Read # files"],
  write: ["Wrote a file", "Wrote # files"],
  edit: ["Changed a file", "Made # changes"],
  glob: ["Looked for files", "Looked for files # times"],
  grep: ["Searched", "Searched # times"],
  web_fetch: ["Read a page", "Read # pages"],
  web_search: ["Searched the web", "Searched the web # times"],
  ask_user: ["Asked you", "Asked you # times"],
  update_plan: ["Updated the plan", "Updated the plan # times"]
}

/** What a group of calls did, in a line. */
export const summaryOf = (calls: ReadonlyArray<TimelineCall>): string => {
  const counts = new Map<string, number>()
  for (const { name } of calls) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts]
    .map(([name, count]) => {
      const [one, many] = verbs[name] ?? [`Called ${name}`, `Called ${name} # times`]
      return count === 1 ? one : many.replace("#", String(count))
    })
    .map((text, index) => (index === 0 ? text : text[0]!.toLowerCase() + text.slice(1)))
    .join(", ")
}

export const isOpen = ({ outcome }: TimelineCall): boolean => outcome === null

/** How a call stands, or a sub-agent, in a word and a colour. */
export const stateOf = (
  call: Pick<TimelineCall, "outcome" | "awaits" | "startedAt">
): { readonly light: "running" | "good" | "bad" | "waiting" | "idle"; readonly text: string } => {
  switch (call.outcome) {
    case "succeeded":
      return { light: "good", text: "Done" }
    case "failed":
      return { light: "bad", text: "Failed" }
    case "denied":
      return { light: "bad", text: "Denied" }
    case "interrupted":
      return { light: "idle", text: "Interrupted" }
    case "timed_out":
      return { light: "bad", text: "Took too long" }
    case "expired":
      return { light: "idle", text: "Nobody answered in time" }
    case "unknown":
      return { light: "waiting", text: "Whether it finished is not known" }
    case null:
      if (call.awaits === "result") return { light: "waiting", text: "Waits for a result" }
      return call.startedAt === null ? { light: "idle", text: "Not begun" } : { light: "running", text: "Running" }
  }
}
