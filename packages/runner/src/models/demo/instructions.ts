import type { JsonObject } from "@troupe/domain/Json"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import type { Content } from "@troupe/domain/session/Content"

/** What a person can tell the demo model to do, one to a line. */
export type Instruction =
  | {
      readonly _tag: "Tool"
      readonly name: string
      readonly input: JsonObject
      /** In one answer with the call before it. */
      readonly together: boolean
    }
  | { readonly _tag: "Think"; readonly text: string }
  | { readonly _tag: "Say"; readonly text: string }
  | { readonly _tag: "Fail" }
  | { readonly _tag: "Refuse" }

const tool = (name: string, input: JsonObject): Instruction => ({ _tag: "Tool", name, input, together: false })

const jsonIn = (text: string): JsonObject => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}
  } catch {
    return {}
  }
}

/** `ask me Which? red / blue` is a choice. */
const question = (words: string): JsonObject => {
  const [, text, options] = /^(.*\?)\s+(\S.*\/.*)$/.exec(words) ?? []
  if (text === undefined || options === undefined) return { question: words }
  return { question: text, options: options.split("/").map((label) => ({ label: label.trim() })) }
}

const patterns: ReadonlyArray<readonly [RegExp, (match: RegExpExecArray) => Instruction]> = [
  [/^run:\s*(.+)$/i, ([, command]) => tool("bash", { command: command! })],
  [
    /^write file (\S+?):?\s+(.+)$/i,
    ([, path, content]) => tool("write", { file_path: path!, content: `${content}\n` })
  ],
  [/^read file (\S+)$/i, ([, path]) => tool("read", { file_path: path! })],
  [/^fetch (https?:\S+)$/i, ([, url]) => tool("web_fetch", { url: url! })],
  [/^ask me:?\s+(.+)$/i, ([, words]) => tool("ask_user", question(words!))],
  [/^call (\S+)(?:\s+(\{.*\}))?$/i, ([, name, input = "{}"]) => tool(name!, jsonIn(input))],
  [/^think:\s*(.+)$/i, ([, text]) => ({ _tag: "Think", text: text! })],
  [/^say:\s*(.+)$/i, ([, text]) => ({ _tag: "Say", text: text! })],
  [/^fail$/i, () => ({ _tag: "Fail" })],
  [/^refuse$/i, () => ({ _tag: "Refuse" })]
]

export const textOf = (content: Content): string =>
  content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("\n")

const instructionIn = (line: string): Instruction | null => {
  const [, also, words = ""] = /^(&\s+)?(.*)$/.exec(line.trim()) ?? []
  for (const [pattern, make] of patterns) {
    const match = pattern.exec(words)
    if (match === null) continue
    const instruction = make(match)
    return instruction._tag === "Tool" ? { ...instruction, together: also !== undefined } : instruction
  }
  return null
}

/** The instructions in a message; lines that are none are passed by. */
export const instructionsIn = (message: string): ReadonlyArray<Instruction> =>
  message.split("\n").flatMap((line) => instructionIn(line) ?? [])

/** The lines of a task that are still to be done, as they were written. */
export const linesLeft = ({ message, results }: Task): ReadonlyArray<string> => {
  const lines = message.split("\n").filter((line) => instructionIn(line) !== null)
  const isCall = (line: string) => instructionIn(line)?._tag === "Tool"
  const calls = lines.flatMap((line, index) => (isCall(line) ? [index] : []))
  return lines.slice(results.length === 0 ? 0 : (calls[results.length - 1] ?? lines.length) + 1)
}

/** What the conversation asks for, and what has been done of it since. */
export interface Task {
  readonly message: string
  readonly instructions: ReadonlyArray<Instruction>
  readonly results: ReadonlyArray<{ readonly text: string; readonly isError: boolean }>
}

/** Messages that came after the model began to work on an earlier one add to the task; a finished task is forgotten. */
export const taskOf = (history: ReadonlyArray<HistoryItem>): Task => {
  let messages: Array<string> = []
  let results: Array<Task["results"][number]> = []
  let answered = false
  for (const item of history) {
    if (item.type === "user" || item.type === "summary") {
      if (answered) [messages, results] = [[], []]
      answered = false
      messages.push(textOf(item.content))
    } else if (item.type === "tool_call") answered = false
    else if (item.type === "tool_result") results.push({ text: textOf(item.content), isError: item.isError })
    else if (item.type === "assistant") answered = true
  }
  const message = messages.join("\n")
  return { message, instructions: instructionsIn(message), results }
}
