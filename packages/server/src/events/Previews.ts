import type { Previewed } from "@troupe/domain/api/Events"
import { frame } from "../gateway/Sse.ts"
import type { Delta } from "../session/WatchHub.ts"

const blocksMax = 64

/**
 * What a reader is shown of messages that are still being written: their parts in order from the first one, and nothing
 * more of one that has a gap or is finished.
 */
export const make = (wanted: ReadonlyArray<Previewed>) => {
  /** How far each block was shown; null where it is shown no further. */
  const shown = new Map<string, number | null>()

  const end = (blockId: string): void => {
    shown.set(blockId, null)
    // Blocks come one after the other, so the oldest are long over.
    if (shown.size > blocksMax) shown.delete(shown.keys().next().value!)
  }

  const begun = (type: Previewed, id: string): string =>
    frame("event_start", JSON.stringify({ type: "event_start", event: { type, id } }))

  /** Of thinking nothing is shown but that it has begun: the event that ends it has no content either. */
  const takeThinking = (blockId: string): string => {
    if (!wanted.includes("agent.thinking") || shown.has(blockId)) return ""
    end(blockId)
    return begun("agent.thinking", blockId)
  }

  const take = ({ blockId, kind, offset, text }: Delta): string => {
    if (kind === "thinking") return takeThinking(blockId)
    const at = shown.get(blockId)
    if (at === null || text === "" || !wanted.includes("agent.message")) return ""
    if (offset !== (at ?? 0)) {
      end(blockId)
      return ""
    }
    shown.set(blockId, offset + text.length)
    const content = { type: "text", text }
    const delta = { type: "event_delta", event_id: blockId, delta: { type: "content_delta", index: 0, content } }
    const part = frame("event_delta", JSON.stringify(delta))
    return at === undefined ? begun("agent.message", blockId) + part : part
  }

  return { take, end }
}
