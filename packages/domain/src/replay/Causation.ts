import type { Recorded } from "../log/Envelope.ts"
import type { SessionEvent } from "../session/SessionEvent.ts"

/** A stored event and what it says, for asking why. */
export interface Read {
  readonly row: Recorded
  readonly event: SessionEvent
}

/** The events of one command. */
export interface CommandStep {
  readonly commandId: string
  readonly correlationId: string
  /** Who sent it, as JSON. */
  readonly actorText: string
  readonly seqs: ReadonlyArray<number>
}

/** What an event goes back to. */
export interface Cause {
  readonly seq: number
  readonly type: string
  /** What links the event before it in the list to this one. */
  readonly by: "call" | "request" | "attempt" | "turn" | "input"
  readonly commandId: string
}

export interface Why {
  readonly seq: number
  readonly type: string
  /** The command that led to it, with all that the command led to. */
  readonly command: CommandStep
  /** From what it came, the nearest first, back to something from outside. */
  readonly causes: ReadonlyArray<Cause>
  /** Every command of the same outside request, in order. */
  readonly request: ReadonlyArray<CommandStep>
}

type Link = Cause["by"]

/** By which events calls, requests, attempts, turns and inputs came to be. */
const origins: { readonly [Tag in SessionEvent["_tag"]]?: readonly [Link, string] } = {
  ToolRequested: ["call", "callId"],
  ModelRequestStarted: ["request", "requestId"],
  AttemptStarted: ["attempt", "attemptId"],
  RetryQueued: ["turn", "turnId"],
  TurnRetried: ["turn", "turnId"],
  TurnStarted: ["turn", "turnId"],
  MessageReceived: ["input", "inputId"],
  ThreadMessaged: ["input", "messageId"]
}

/** What an event may name, the nearest cause first. */
const links: ReadonlyArray<readonly [Link, string]> = [
  ["call", "callId"],
  ["request", "requestId"],
  ["attempt", "attemptId"],
  ["turn", "turnId"],
  ["input", "inputId"]
]

const isReceipt = (event: SessionEvent) => event._tag === "MessageReceived" || event._tag === "ThreadMessaged"

const field = (event: SessionEvent, name: string): string | undefined => {
  const value = (event as unknown as Readonly<Record<string, unknown>>)[name]
  return typeof value === "string" ? value : undefined
}

/** Why an event is in the log: its command, what it goes back to, and what else the same request led to. */
export const why = (log: ReadonlyArray<Read>, seq: number): Why | undefined => {
  const asked = log.find(({ row }) => row.seq === seq)
  if (asked === undefined) return undefined
  const steps: Array<{ -readonly [Key in keyof CommandStep]: CommandStep[Key] } & { seqs: Array<number> }> = []
  const made = new Map<string, Read>()
  const received = new Map<string, Read>()
  const parents = new Map<number, readonly [Cause["by"], Read]>()

  for (const read of log) {
    const { event, row } = read
    const last = steps.at(-1)
    if (last?.commandId === row.causationId) last.seqs.push(row.seq)
    else {
      const { actorText, causationId: commandId, correlationId } = row
      steps.push({ commandId, correlationId, actorText, seqs: [row.seq] })
    }
    if (row.seq > seq) continue
    const parent = parentOf(event, made, received)
    if (parent !== undefined) parents.set(row.seq, parent)
    const origin = origins[event._tag]
    const id = origin === undefined ? undefined : field(event, origin[1])
    if (origin !== undefined && id !== undefined) made.set(`${origin[0]} ${id}`, read)
    if (isReceipt(event)) received.set(event.turnId, read)
  }

  const causes: Array<Cause> = []
  for (let parent = parents.get(seq); parent !== undefined; parent = parents.get(parent[1].row.seq)) {
    const [by, { row }] = parent
    causes.push({ seq: row.seq, type: row.type, by, commandId: row.causationId })
  }
  const command = steps.find((step) => step.seqs.includes(seq))!
  const request = steps.filter((step) => step.correlationId === asked.row.correlationId)
  return { seq, type: asked.row.type, command, causes, request }
}

const parentOf = (
  event: SessionEvent,
  made: ReadonlyMap<string, Read>,
  received: ReadonlyMap<string, Read>
): readonly [Cause["by"], Read] | undefined => {
  for (const [by, name] of links) {
    const id = field(event, name)
    const found = id === undefined ? undefined : made.get(`${by} ${id}`)
    if (found !== undefined) return [by, found]
  }
  // A turn starts because of the message that it was made for.
  const turnId = field(event, "turnId")
  const message = turnId === undefined || isReceipt(event) ? undefined : received.get(turnId)
  return message === undefined ? undefined : ["input", message]
}
