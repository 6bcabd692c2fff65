import { Result, Schema } from "effect"
import { canonical, utf8Length } from "../CanonicalJson.ts"
import type { Sha256 } from "../log/Chain.ts"
import { redactCommand } from "./Redaction.ts"
import { Command } from "./SessionCommand.ts"
import type { SessionEvent } from "./SessionEvent.ts"

/** What a command asks for, as one hash: who asks and when is left out, so that a later retry has the same. */
export const digest = (sha256: Sha256, command: Command): string => sha256(canonical(command.body))

/** Bytes of a command's body as JSON. */
export const size = (command: Command): number => utf8Length(JSON.stringify(command.body))

/** Shorter values are as well kept where they are: the reference that would stand for them is not much shorter. */
const inlineMax = 64

const reference = "$event"
/** Wraps an object of the client's that has one of our keys, so that it is not taken for a reference. */
const literal = "$literal"

type Fields = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null

/** Where the large fields of a command's events stand, by their canonical text. */
const places = (events: ReadonlyArray<SessionEvent>): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  for (const [offset, event] of events.entries()) {
    for (const [field, value] of Object.entries(event)) {
      if (!isObject(value) && (typeof value !== "string" || value.length <= inlineMax)) continue
      const text = canonical(value)
      if (text.length <= inlineMax || found.has(text)) continue
      found.set(text, canonical({ [reference]: offset, path: [field] }))
    }
  }
  return found
}

/**
 * A command as it is kept for audits: canonical JSON of all but its id, in which what one of its events holds anyway is
 * replaced by `{"$event": offset, "path": [field]}`, the offset counting the command's events from 0.
 */
export const compact = (command: Command, events: ReadonlyArray<SessionEvent>): string => {
  const { actor, at, body, correlationId } = command
  const whole = canonical(body)
  const held = whole.length <= inlineMax ? new Map<string, string>() : places(events)
  const lengths = new Set([...held.keys()].map((text) => text.length))
  const place = (own: string) => (lengths.has(own.length) ? held.get(own) : undefined)

  /** The value's own text, and the text that is kept for it. */
  const write = (value: unknown): readonly [own: string, kept: string] => {
    if (!isObject(value)) {
      const own = canonical(value)
      return [own, place(own) ?? own]
    }
    const list = Array.isArray(value)
    const keys = list ? [...value.keys()].map(String) : Object.keys(value).sort()
    let own = ""
    let kept = ""
    for (const key of keys) {
      const field = (value as Fields)[key]
      if (!list && field === undefined) continue
      const [ownPart, keptPart] = write(field)
      const before = (own === "" ? "" : ",") + (list ? "" : `${JSON.stringify(key)}:`)
      own += before + ownPart
      kept += before + keptPart
    }
    own = list ? `[${own}]` : `{${own}}`
    kept = list ? `[${kept}]` : `{${kept}}`
    const ours = !list && (Object.hasOwn(value, reference) || Object.hasOwn(value, literal))
    return [own, place(own) ?? (ours ? `{"${literal}":${kept}}` : kept)]
  }

  const mayMislead = whole.includes(`"${reference}"`) || whole.includes(`"${literal}"`)
  const kept = held.size === 0 && !mayMislead ? whole : write(body)[1]
  return `{"actor":${canonical(actor)},"at":${at},"body":${kept},"correlationId":${canonical(correlationId)}}`
}

const resolve = (pointer: Fields, events: ReadonlyArray<SessionEvent>): unknown => {
  let value: unknown = events[pointer[reference] as number]
  for (const key of pointer["path"] as ReadonlyArray<string>) {
    if (!isObject(value) || !Object.hasOwn(value, key)) throw new Error(`no event holds ${JSON.stringify(pointer)}`)
    value = (value as Fields)[key]
  }
  return value
}

const restore = (value: unknown, events: ReadonlyArray<SessionEvent>): unknown => {
  if (!isObject(value)) return value
  if (Array.isArray(value)) return value.map((part) => restore(part, events))
  if (Object.hasOwn(value, reference)) return resolve(value as Fields, events)
  const fields = Object.hasOwn(value, literal) ? (value as Fields)[literal] : value
  return Object.fromEntries(Object.entries(fields as Fields).map(([key, part]) => [key, restore(part, events)]))
}

const decode = Schema.decodeUnknownResult(Command)

/** What was kept of a command, and its events, don't make a command. */
export class CommandUnreadable extends Schema.TaggedError<CommandUnreadable>()("CommandUnreadable", {
  commandId: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `Command ${this.commandId} can't be read: ${this.detail}`
  }
}

/** The command again, from what was kept of it and its events. */
export const expand = (
  commandId: string,
  text: string,
  events: ReadonlyArray<SessionEvent>
): Result.Result<Command, CommandUnreadable> => {
  const unreadable = (cause: unknown) => {
    const detail = cause instanceof Error ? cause.message : String(cause)
    return new CommandUnreadable({ commandId, detail: detail.slice(0, 500) })
  }
  return Result.try({
    try: () => {
      const kept = JSON.parse(text) as Fields
      return { ...kept, body: restore(kept["body"], events), commandId }
    },
    catch: unreadable
  }).pipe(Result.flatMap((whole) => Result.mapError(decode(whole), unreadable)))
}

/** What is kept of a command from the moment that an event it led to is redacted. `events` still have their content. */
export const redact = (
  commandId: string,
  text: string,
  events: ReadonlyArray<SessionEvent>
): Result.Result<string, CommandUnreadable> =>
  Result.map(expand(commandId, text, events), (command) =>
    compact({ ...command, body: redactCommand(command.body) }, [])
  )
