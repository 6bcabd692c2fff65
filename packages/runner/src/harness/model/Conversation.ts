import type { EventId } from "@troupe/domain/Ids"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import type { ToolResult } from "../../tools/ToolCalls.ts"
import type { Steer } from "../Harness.ts"

/** About four characters to a token: what stands in until the provider has counted. */
const tokensOf = (chars: number): number => Math.ceil(chars / 4)

export const estimateTokens = (value: unknown): number => tokensOf(JSON.stringify(value).length)

const nothing = { chars: 0, items: 0 }

/**
 * What the model is told, as it grows within an attempt: it begins with what the log says and takes in what the attempt
 * adds, so that the next attempt, which begins with the log again, tells the model the same.
 */
export class Conversation {
  private items: Array<HistoryItem>
  /** What the provider counted last, and how many items that was about. */
  private counted = { tokens: 0, items: 0 }
  /** What those that come after are written with, as far as that was looked at: a long conversation is asked for often. */
  private written = nothing

  constructor(history: ReadonlyArray<HistoryItem>) {
    this.items = [...history]
  }

  get history(): ReadonlyArray<HistoryItem> {
    return this.items
  }

  get tokens(): number {
    const { counted, items } = this
    let { chars, items: looked } = this.written
    for (let at = counted.items + looked; at < items.length; at++, looked++) chars += JSON.stringify(items[at]).length
    this.written = { chars, items: looked }
    // With brackets, and what stands between them.
    return counted.tokens + tokensOf(chars + Math.max(looked - 1, 0) + 2)
  }

  add(...items: ReadonlyArray<HistoryItem>): void {
    this.items.push(...items)
  }

  steer(messages: ReadonlyArray<Steer>): void {
    for (const { behind = [], content, inputId } of messages) {
      this.add({ type: "user", inputId, from: null, content })
      for (const system of behind) this.add({ type: "system", inputId: system.inputId, content: system.content })
    }
  }

  /** The provider's own count of everything up to here. */
  measured(tokens: number): void {
    this.counted = { tokens, items: this.items.length }
    this.written = nothing
  }

  /** A call's outcome. One that the log still had as pending takes its place. */
  result(providerCallId: string, result: Extract<ToolResult, { readonly _tag: "Done" }>): void {
    const { callId, content, isError, outcome } = result
    const item: HistoryItem = { type: "tool_result", callId, providerCallId, outcome, content, isError }
    const at = this.items.findIndex((one) => one.type === "tool_result" && one.callId === callId)
    if (at < 0) return this.add(item)
    this.items[at] = item
    this.written = nothing
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
    this.written = nothing
  }
}
