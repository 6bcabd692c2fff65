import type { Json, JsonObject } from "@troupe/domain/Json"
import type { Content } from "@troupe/domain/session/Content"

/** Shorter ones would be found in what has nothing to do with them. */
const lengthMin = 6

/** Takes known secrets out of what is said. */
export interface Scrubber {
  readonly text: (text: string) => string
}

export const noSecrets: Scrubber = { text: (text) => text }

/** `secrets` is asked each time: they are refreshed while an attempt works. */
export const makeScrubber = (secrets: () => Iterable<readonly [name: string, value: string]>): Scrubber => ({
  text: (text) => {
    let scrubbed = text
    // Longest first: one may be the beginning of another.
    const known = [...secrets()].filter(([, value]) => value.length >= lengthMin)
    for (const [name, value] of known.toSorted(([, a], [, b]) => b.length - a.length)) {
      for (const form of formsOf(value)) scrubbed = scrubbed.replaceAll(form, `[secret ${name}]`)
    }
    return scrubbed
  }
})

/** As it is, as JSON escapes it, as a URL does, and as the user of basic authorization would send it. */
const formsOf = (value: string): ReadonlySet<string> =>
  new Set([value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value), Buffer.from(value).toString("base64")])

export const scrubContent = ({ text }: Scrubber, content: Content): Content =>
  content.map((block) => {
    switch (block.type) {
      case "text":
        return { ...block, text: text(block.text) }
      case "document":
        return block.source.type === "text"
          ? { ...block, source: { ...block.source, data: text(block.source.data) } }
          : block
      case "search_result":
        return { ...block, result: scrubJson({ text }, block.result) as JsonObject }
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
