import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import type { Content } from "@troupe/domain/session/Content"

/** What a person can tell the demo model to do, one to a line. */
export type Instruction =
  | { readonly _tag: "Tool"; readonly name: string; readonly input: Readonly<Record<string, string>> }
  | { readonly _tag: "Think"; readonly text: string }
  | { readonly _tag: "Say"; readonly text: string }
  | { readonly _tag: "Fail" }
  | { readonly _tag: "Refuse" }

const patterns: ReadonlyArray<readonly [RegExp, (match: RegExpExecArray) => Instruction]> = [
  [/^run:\s*(.+)$/i, ([, command]) => ({ _tag: "Tool", name: "bash", input: { command: command! } })],
  [
    /^write file (\S+?):?\s+(.+)$/i,
    ([, path, content]) => ({ _tag: "Tool", name: "write", input: { file_path: path!, content: `${content}\n` } })
  ],
  [/^read file (\S+)$/i, ([, path]) => ({ _tag: "Tool", name: "read", input: { file_path: path! } })],
  [/^fetch (https?:\S+)$/i, ([, url]) => ({ _tag: "Tool", name: "web_fetch", input: { url: url! } })],
  [/^ask me:?\s+(.+)$/i, ([, question]) => ({ _tag: "Tool", name: "ask_user", input: { question: question! } })],
  [/^think:\s*(.+)$/i, ([, text]) => ({ _tag: "Think", text: text! })],
  [/^say:\s*(.+)$/i, ([, text]) => ({ _tag: "Say", text: text! })],
  [/^fail$/i, () => ({ _tag: "Fail" })],
  [/^refuse$/i, () => ({ _tag: "Refuse" })]
]

export const textOf = (content: Content): string =>
  content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("\n")

/** The instructions in a message; lines that are none are passed by. */
export const instructionsIn = (message: string): ReadonlyArray<Instruction> =>
  message.split("\n").flatMap((line) => {
    for (const [pattern, make] of patterns) {
      const match = pattern.exec(line.trim())
      if (match !== null) return [make(match)]
    }
    return []
  })

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
    if (item.type === "user") {
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
