import type { ThreadId } from "../Ids.ts"
import * as EventCodec from "../log/EventCodec.ts"
import { SessionEvent, type EventOf, type SessionEventTag } from "./SessionEvent.ts"

export { LogUnreadable } from "../log/EventCodec.ts"

type Shapes = { readonly [Tag in SessionEventTag]: EventCodec.Shapes<EventOf<Tag>> }
type Older = { readonly [Tag in SessionEventTag]?: ReadonlyArray<Shapes[Tag][0]> }

/** An event as it is stored, and the thread that it belongs to. */
type Encoded = EventCodec.Encoded & { readonly threadId: ThreadId | null }

export interface SessionCodec extends Omit<EventCodec.EventCodec<SessionEvent>, "encode" | "encodeIn"> {
  readonly encode: (event: SessionEvent) => Encoded
  readonly encodeIn: (event: SessionEvent, format: number) => Encoded | null
}

const threadOf = (event: SessionEvent): ThreadId | null =>
  "threadId" in event && event._tag !== "SessionOpened" ? event.threadId : null

/** A codec of the events of sessions as they are now, with these older shapes, each list newest first. */
export const make = (older: Older, since: EventCodec.Since<SessionEventTag>): SessionCodec => {
  const shapes = Object.fromEntries(
    Object.entries(SessionEvent.cases).map(([tag, newest]) => [tag, [newest, ...(older[tag as SessionEventTag] ?? [])]])
  ) as unknown as Shapes
  const codec = EventCodec.make<SessionEvent>(shapes, since)
  return {
    ...codec,
    encode: (event) => ({ ...codec.encode(event), threadId: threadOf(event) }),
    encodeIn: (event, format) => {
      const encoded = codec.encodeIn(event, format)
      return encoded === null ? null : { ...encoded, threadId: threadOf(event) }
    }
  }
}

/** All of this release, without a shape before the present one: there has been none. */
export const codec = make({}, {})

/** Reads a stored event, believing its shape where it is the newest: for logs that this system wrote. */
export const decodeFast = codec.decodeFast

/** Reads a stored event and checks every field of it: for audits, and for logs from elsewhere. */
export const decodeStrict = codec.decodeStrict

/** An event as it is stored, and the thread that it belongs to. */
export const encode = codec.encode

/** The same as it is stored where this version of its type was. */
export const encodeAs = codec.encodeAs
