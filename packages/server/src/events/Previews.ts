import { frame } from "../gateway/Sse.ts"
import type { Delta } from "../session/WatchHub.ts"

const blocksMax = 64

/**
 * What a reader is shown of messages that are still being written: their parts in order from the first one, and nothing
 * more of one that has a gap or is finished.
 */
export const make = () => {
  /** How far each block was shown; null where it is shown no further. */
  const shown = new Map<string, number | null>()

  const end = (blockId: string): void => {
    shown.set(blockId, null)
    // Blocks come one after the other, so the oldest are long over.
    if (shown.size > blocksMax) shown.delete(shown.keys().next().value!)
  }

  const take = ({ blockId, offset, text }: Delta): string => {
    const at = shown.get(blockId)
    if (at === null || text === "") return ""
    if (offset !== (at ?? 0)) {
      end(blockId)
      return ""
    }
    shown.set(blockId, offset + text.length)
    const content = { type: "text", text }
    const delta = { type: "event_delta", event_id: blockId, delta: { type: "content_delta", index: 0, content } }
    const part = frame("event_delta", JSON.stringify(delta))
    if (at !== undefined) return part
    const start = { type: "event_start", event: { type: "agent.message", id: blockId } }
    return frame("event_start", JSON.stringify(start)) + part
  }

  return { take, end }
}
