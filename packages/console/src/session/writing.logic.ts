import type { LogEvent } from "@troupe/domain/api/Events"

/** Messages that are still being written, by the id of their block. */
export type Writing = ReadonlyMap<string, string>

export const writeOn = (writing: Writing, blockId: string, text: string): Writing =>
  new Map(writing).set(blockId, (writing.get(blockId) ?? "") + text)

/** What is in the log is not being written any more. */
export const written = (writing: Writing, events: ReadonlyArray<LogEvent>): Writing => {
  if (writing.size === 0) return writing
  const over = events.some(({ type }) =>
    ["AttemptLost", "TurnInterrupted", "TurnFailed", "TurnCompleted"].includes(type)
  )
  if (over) return new Map()
  const done = events.flatMap(({ payload, type }) => (type === "MessageBlock" ? [String(payload?.["blockId"])] : []))
  if (!done.some((id) => writing.has(id))) return writing
  const rest = new Map(writing)
  for (const id of done) rest.delete(id)
  return rest
}
