import type { EventId, TurnId } from "@troupe/domain/Ids"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import type { Message } from "@troupe/domain/session/SessionState"
import { wordsOf } from "./ShellInput.ts"

/** What becomes of one command, as far as it is known. */
export type CommandOutcome = Extract<HistoryItem, { readonly type: "tool_result" }>["outcome"]

export interface Ran {
  readonly outcome: CommandOutcome
  /** Null where it did not come to an end by itself. */
  readonly exitCode: number | null
}

type Input = Pick<Message, "inputId" | "content">

/** Names a call after its command, so that an attempt that comes later knows which have been run. */
export const callName = (turnId: TurnId, inputId: EventId, index: number): string => `${turnId}/${inputId}/${index}`

const isOfTurn = (item: HistoryItem, turnId: TurnId) =>
  item.type === "tool_call" && item.providerCallId.startsWith(`${turnId}/`)

/**
 * The messages of this turn. Its first is the last one before any call of it; where there is none yet, the last of all.
 * What follows joined it as it ran. What came before belongs to turns that are over, however they ended.
 */
export const inputsOf = (history: ReadonlyArray<HistoryItem>, turnId: TurnId): ReadonlyArray<Input> => {
  const called = history.findIndex((item) => isOfTurn(item, turnId))
  const users = history.flatMap((item, index) =>
    item.type === "user" && item.inputId !== null ? [{ item, index }] : []
  )
  const first = users.findLast(({ index }) => called < 0 || index < called)?.index ?? 0
  return users.flatMap(({ index, item }) =>
    index < first || item.inputId === null ? [] : [{ inputId: item.inputId, content: item.content }]
  )
}

/** Names what a person is asked for one of a command's replies, so that an attempt that comes later knows what was said. */
export const questionName = (command: string, index: number): string => `${command}/${index}`

const resultsOf = (history: ReadonlyArray<HistoryItem>, turnId: TurnId) =>
  history.flatMap((item) => (item.type === "tool_result" && item.providerCallId.startsWith(`${turnId}/`) ? [item] : []))

/** What has become of the commands, and of what was asked for them, before, by the names of their calls. */
export const outcomesOf = (history: ReadonlyArray<HistoryItem>, turnId: TurnId): Map<string, Ran> =>
  new Map(
    resultsOf(history, turnId).map(({ exitCode, outcome, providerCallId }) => [
      providerCallId,
      { outcome, exitCode: exitCode ?? null }
    ])
  )

/** What people answered, by the names of the calls that asked. */
export const answersOf = (history: ReadonlyArray<HistoryItem>, turnId: TurnId): ReadonlyMap<string, string> =>
  new Map(
    resultsOf(history, turnId)
      .filter(({ outcome }) => outcome === "succeeded")
      .map(({ content, providerCallId }) => [providerCallId, wordsOf(content)])
  )

/** The names of calls that are known by their ids. */
export const namesOf = (history: ReadonlyArray<HistoryItem>): ReadonlyMap<EventId, string> =>
  new Map(history.flatMap((item) => (item.type === "tool_call" ? [[item.callId, item.providerCallId] as const] : [])))
