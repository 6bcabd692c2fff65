import { Schema } from "effect"
import { lifecycle } from "./events/lifecycle.ts"
import { reserved } from "./events/reserved.ts"
import { queue, turns } from "./events/turns.ts"
import { answers, workEvents } from "./events/work.ts"

/** Everything that can have happened in a session. An event's meaning never changes; new shapes are new versions. */
export const SessionEvent = Schema.TaggedUnion({
  ...lifecycle,
  ...queue,
  ...turns,
  ...workEvents,
  ...answers,
  ...reserved
})
export type SessionEvent = typeof SessionEvent.Type
export type SessionEventTag = SessionEvent["_tag"]
export type EventOf<Tag extends SessionEventTag> = Extract<SessionEvent, { readonly _tag: Tag }>

export const ReservedEvent = Schema.TaggedUnion(reserved)
export type ReservedEvent = typeof ReservedEvent.Type
export const isReserved = (tag: string): boolean => Object.hasOwn(reserved, tag)
