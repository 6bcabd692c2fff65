import { Result, Schema } from "effect"
import type { Sha256 } from "../log/Chain.ts"
import { Command } from "./SessionCommand.ts"
import type { SessionEvent } from "./SessionEvent.ts"

/** Content of at least this many characters is not stored a second time beside its event. */
const inlineMax = 100

/** JSON with the keys of every object in order: two bodies are the same exactly if their canonical texts are. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : part
  )

/** What a command asks for, as one hash: a retry at a later time has the same. */
export const digest = (sha256: Sha256, command: Command): string => sha256(canonical(command.body))

/** Bytes of a command's body as JSON. */
export const size = (command: Command): number => utf8Length(JSON.stringify(command.body))

const utf8Length = (text: string): number => {
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x80) continue
    // A surrogate pair is two units and four bytes; everything else above 0x7ff is three.
    bytes += code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 1 : 2
  }
  return bytes
}

type Pointer = { readonly $event: number; readonly $field: string }

const isPointer = (value: unknown): value is Pointer =>
  typeof value === "object" && value !== null && typeof (value as Pointer).$event === "number"

const large = (value: unknown): string | undefined => {
  if (typeof value !== "object" && typeof value !== "string") return undefined
  const text = JSON.stringify(value)
  return text === undefined || text.length < inlineMax ? undefined : text
}

/**
 * A command as it is kept for audits: everything but what one of its events holds anyway, which is replaced by that
 * event's place among the command's events and the field's name.
 */
export const compact = (command: Command, events: ReadonlyArray<SessionEvent>): string => {
  const { actor, at, body, correlationId } = command
  if (events.length === 0 || JSON.stringify(body).length < inlineMax) {
    return JSON.stringify({ at, actor, correlationId, body })
  }
  const held = new Map<string, Pointer>()
  for (const [index, event] of events.entries()) {
    for (const [field, value] of Object.entries(event)) {
      const text = large(value)
      if (text !== undefined && !held.has(text)) held.set(text, { $event: index, $field: field })
    }
  }
  const replace = (value: unknown): unknown => {
    const text = large(value)
    if (text === undefined) return value
    const pointer = held.get(text)
    if (pointer !== undefined) return pointer
    if (Array.isArray(value)) return value.map(replace)
    if (typeof value === "object" && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, replace(part)]))
    }
    return value
  }
  return JSON.stringify({ at, actor, correlationId, body: replace(body) })
}

const decode = Schema.decodeUnknownResult(Command)

/** The command again, from what was kept of it and its events. Undefined where the two don't fit. */
export const expand = (
  commandId: string,
  text: string,
  events: ReadonlyArray<SessionEvent>
): Command | undefined => {
  const restore = (value: unknown): unknown => {
    if (isPointer(value)) return (events[value.$event] as Readonly<Record<string, unknown>> | undefined)?.[value.$field]
    if (Array.isArray(value)) return value.map(restore)
    if (typeof value === "object" && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, restore(part)]))
    }
    return value
  }
  try {
    const kept = JSON.parse(text) as Readonly<Record<string, unknown>>
    return Result.getOrUndefined(decode({ ...kept, body: restore(kept["body"]), commandId }))
  } catch {
    return undefined
  }
}
