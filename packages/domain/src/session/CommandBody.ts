import { Result, Schema } from "effect"
import { canonical } from "../CanonicalJson.ts"
import type { Sha256 } from "../log/Chain.ts"
import { redactCommand } from "./Redaction.ts"
import { Command } from "./SessionCommand.ts"
import type { SessionEvent } from "./SessionEvent.ts"

/** What a command asks for, as one text: who asks and when is left out, so that a later retry has the same. */
export const text = ({ body }: Command): string => canonical(body)

/** What a command asks for, as one hash. */
export const digest = (sha256: Sha256, command: Command): string => sha256(text(command))

/** Shorter values are as well kept where they are: the reference that would stand for them is not much shorter. */
const inlineMax = 64

const reference = "$event"
/** Wraps an object of the client's that has one of our keys, so that it is not taken for a reference. */
const literal = "$literal"

type Fields = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null

/** About how long a value's JSON is, counted only until it is known to be long. */
const lengthFrom = (sum: number, value: unknown): number => {
  if (sum > inlineMax) return sum
  if (!isObject(value)) return sum + String(value).length
  for (const key of Object.keys(value)) sum = lengthFrom(sum + key.length + 3, (value as Fields)[key])
  return sum
}

const isLong = (value: unknown): boolean =>
  typeof value === "string" ? value.length > inlineMax : isObject(value) && lengthFrom(0, value) > inlineMax

/**
 * Where the large fields of a command's events stand. What is decided hands content on as it is, so the same object is
 * found by being the same; comparing by content would cost more than all else that is done for a command.
 */
const places = (events: ReadonlyArray<SessionEvent>): ReadonlyMap<unknown, string> => {
  const found = new Map<unknown, string>()
  for (const [offset, event] of events.entries()) {
    for (const field of Object.keys(event)) {
      const value = (event as unknown as Fields)[field]
      if (isLong(value) && !found.has(value)) found.set(value, canonical({ [reference]: offset, path: [field] }))
    }
  }
  return found
}

/**
 * A command as it is kept for audits: canonical JSON of all but its id, in which what one of its events holds anyway is
 * replaced by `{"$event": offset, "path": [field]}`, the offset counting the command's events from 0.
 */
export const compact = ({ actor, at, body, correlationId }: Command, events: ReadonlyArray<SessionEvent>): string => {
  const held = places(events)

  const write = (value: unknown): string => {
    const place = held.get(value)
    if (place !== undefined) return place
    if (!isObject(value)) return canonical(value)
    if (Array.isArray(value)) return `[${value.map(write).join()}]`
    let kept = ""
    for (const key of Object.keys(value).sort()) {
      const field = (value as Fields)[key]
      if (field !== undefined) kept += `${kept === "" ? "" : ","}${JSON.stringify(key)}:${write(field)}`
    }
    const ours = Object.hasOwn(value, reference) || Object.hasOwn(value, literal)
    return ours ? `{"${literal}":{${kept}}}` : `{${kept}}`
  }

  return `{"actor":${canonical(actor)},"at":${at},"body":${write(body)},"correlationId":${canonical(correlationId)}}`
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
