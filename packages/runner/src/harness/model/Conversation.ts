import type { EventId } from "@troupe/domain/Ids"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import type { Message } from "@troupe/domain/session/SessionState"
import type { ToolResult } from "../../tools/ToolCalls.ts"

/** About four characters to a token: what stands in until the provider has counted. */
export const estimateTokens = (value: unknown): number => Math.ceil(JSON.stringify(value).length / 4)

/**
 * What the model is told, as it grows within an attempt: it begins with what the log says and takes in what the attempt
 * adds, so that the next attempt, which begins with the log again, tells the model the same.
 */
export class Conversation {
  private items: Array<HistoryItem>
  /** What the provider counted last, and how many items that was about. */
  private counted = { tokens: 0, items: 0 }

  constructor(history: ReadonlyArray<HistoryItem>) {
    this.items = [...history]
  }

  get history(): ReadonlyArray<HistoryItem> {
    return this.items
  }

  get tokens(): number {
    return this.counted.tokens + estimateTokens(this.items.slice(this.counted.items))
  }

  add(...items: ReadonlyArray<HistoryItem>): void {
    this.items.push(...items)
  }

  steer(messages: ReadonlyArray<Message>): void {
    for (const { content, inputId } of messages) this.add({ type: "user", inputId, from: null, content })
  }

  /** The provider's own count of everything up to here. */
  measured(tokens: number): void {
    this.counted = { tokens, items: this.items.length }
  }

  /** A call's outcome. One that the log still had as pending takes its place. */
  result(providerCallId: string, result: Extract<ToolResult, { readonly _tag: "Done" }>): void {
    const { callId, content, isError, outcome } = result
    const item: HistoryItem = { type: "tool_result", callId, providerCallId, outcome, content, isError }
    const at = this.items.findIndex((one) => one.type === "tool_result" && one.callId === callId)
    if (at < 0) this.add(item)
    else this.items[at] = item
  }

  providerCallIdOf(callId: EventId): string | undefined {
    for (const item of this.items) {
      if (item.type === "tool_call" && item.callId === callId) return item.providerCallId
    }
    return undefined
  }

  /** The same conversation, told in another way. */
  retell(items: ReadonlyArray<HistoryItem>): void {
    this.items = [...items]
  }

  /** The summary takes the place of everything. */
  compact(summary: HistoryItem): void {
    this.items = [summary]
    this.counted = { tokens: 0, items: 0 }
  }
}
