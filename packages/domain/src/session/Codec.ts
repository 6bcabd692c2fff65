import type { ThreadId } from "../Ids.ts"
import { make, type Encoded, type EventCodec, type Shapes } from "../log/EventCodec.ts"
import { SessionEvent, type EventOf, type SessionEventTag } from "./SessionEvent.ts"

export { LogUnreadable } from "../log/EventCodec.ts"

type Older = { readonly [Tag in SessionEventTag]?: ReadonlyArray<Shapes<EventOf<Tag>>[0]> }

/** Shapes that are read and no longer written, newest first, each decoding to the newest. */
const older: Older = {}

const shapes = Object.fromEntries(
  Object.entries(SessionEvent.cases).map(([tag, newest]) => [tag, [newest, ...(older[tag as SessionEventTag] ?? [])]])
) as unknown as { readonly [Tag in SessionEventTag]: Shapes<EventOf<Tag>> }

const codec: EventCodec<SessionEvent> = make<SessionEvent>(shapes)

/** Reads a stored event, believing its shape where it is the newest: for logs that this system wrote. */
export const decodeFast = codec.decodeFast

/** Reads a stored event and checks every field of it: for audits, and for logs from elsewhere. */
export const decodeStrict = codec.decodeStrict

/** An event as it is stored, and the thread that it belongs to. */
export const encode = (event: SessionEvent): Encoded & { readonly threadId: ThreadId | null } => ({
  ...codec.encode(event),
  threadId: "threadId" in event && event._tag !== "SessionOpened" ? event.threadId : null
})
