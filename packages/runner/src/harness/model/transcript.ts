import type { Content } from "@troupe/domain/session/Content"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"

/** A single item takes no more of a transcript than this part of it. */
const itemShare = 0.2

const wordsOf = (content: Content): string =>
  content
    .map((block) =>
      block.type === "text" ? block.text : block.type === "blob" ? block.blob.preview : `[${block.type}]`
    )
    .join("\n")

const lineOf = (item: HistoryItem): string => {
  switch (item.type) {
    case "user":
      return `User:\n${wordsOf(item.content)}`
    case "system":
      return `System:\n${wordsOf(item.content)}`
    case "summary":
      return `Summary of what was before:\n${wordsOf(item.content)}`
    case "note":
      return `Note: ${item.text}`
    case "assistant":
      return `Assistant:\n${wordsOf(item.content)}`
    case "thinking":
      return ""
    case "tool_call":
      return `Call of ${item.name}: ${JSON.stringify(item.editedInput ?? item.input)}`
    case "tool_result":
      return `Result (${item.outcome}):\n${wordsOf(item.content)}`
  }
}

/** How it began and where it stands matter most: the middle is left out. */
const cut = (words: string, lengthMax: number): string => {
  if (words.length <= lengthMax) return words
  const [head, tail] = [Math.floor(lengthMax * 0.3), Math.floor(lengthMax * 0.6)]
  const left = `[${words.length - head - tail} characters are left out here]`
  return `${words.slice(0, head)}\n${left}\n${words.slice(-tail)}`.toWellFormed()
}

/** A conversation as one text that is not longer than this: for a model that can't be told all of it. */
export const transcript = (history: ReadonlyArray<HistoryItem>, lengthMax: number): string =>
  cut(
    history
      .map(lineOf)
      .filter((line) => line !== "")
      .map((line) => cut(line, Math.max(400, Math.floor(lengthMax * itemShare))))
      .join("\n\n"),
    lengthMax
  )
