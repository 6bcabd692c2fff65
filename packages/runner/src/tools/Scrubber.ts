import type { Json, JsonObject } from "@troupe/domain/Json"
import type { Content } from "@troupe/domain/session/Content"

/** Takes known secrets out of what is said. */
export interface Scrubber {
  text(text: string): string
}

export const scrubContent = (scrubber: Scrubber, content: Content): Content =>
  content.map((block) => {
    switch (block.type) {
      case "text":
        return { ...block, text: scrubber.text(block.text) }
      case "document":
        return block.source.type === "text"
          ? { ...block, source: { ...block.source, data: scrubber.text(block.source.data) } }
          : block
      case "search_result":
        return { ...block, result: scrubJson(scrubber, block.result) as JsonObject }
      default:
        return block
    }
  })

export const scrubJson = (scrubber: Scrubber, value: Json): Json => {
  if (typeof value === "string") return scrubber.text(value)
  if (Array.isArray(value)) return value.map((one) => scrubJson(scrubber, one))
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, scrubJson(scrubber, one)]))
}
