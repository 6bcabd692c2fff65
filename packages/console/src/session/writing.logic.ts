import type { LogDelta, LogEvent } from "@troupe/client"

/** Messages that are still being written, by the id of their block: what is known of each, and how far that goes. */
export type Writing = ReadonlyMap<string, { readonly text: string; readonly end: number }>

export const nothingWritten: Writing = new Map()

/** What was not heard in between, and is in the log once the message is whole. */
const missing = "… "

export const writeOn = (
  writing: Writing,
  { event_id, offset, text }: Omit<LogDelta, "type" | "thread_id">
): Writing => {
  const known = writing.get(event_id) ?? { text: "", end: 0 }
  const end = offset + text.length
  if (end <= known.end) return writing
  const more = offset > known.end ? missing + text : text.slice(known.end - offset)
  return new Map(writing).set(event_id, { text: known.text + more, end })
}

/** What is in the log is not being written any more. */
export const written = (writing: Writing, events: ReadonlyArray<LogEvent>): Writing => {
  if (writing.size === 0) return writing
  const over = events.some(({ type }) =>
    ["AttemptLost", "TurnInterrupted", "TurnFailed", "TurnCompleted"].includes(type)
  )
  if (over) return nothingWritten
  const done = events.flatMap((event) =>
    event.type === "MessageBlock" && event.payload !== null ? [event.payload.blockId as string] : []
  )
  if (!done.some((id) => writing.has(id))) return writing
  const rest = new Map(writing)
  for (const id of done) rest.delete(id)
  return rest
}
