import type { Approval } from "@troupe/client"
import { inputLine } from "../session/toolLine.ts"
import { clean } from "../terminal/clean.ts"
import { type Editor, textOf } from "../terminal/Editor.ts"
import type { Drawn } from "../terminal/Screen.ts"
import { bold, cyan, dim, yellow } from "../terminal/styles.ts"
import { charactersOf, cut, widthOf } from "../terminal/width.ts"
import { wrap } from "../terminal/wrap.ts"
import type { Ask, Model } from "./Model.ts"
import { commandsFor } from "./commands.ts"
import { choicesOf, textOf as questionOf } from "./questions.ts"

const prompt = "› "
const margin = prompt.length

/** What is typed, broken at the edge, and where the cursor is in it. */
const typed = ({ after, before }: Editor, columns: number): Drawn => {
  const lines = [""]
  let cursor = { row: 0, column: margin }
  const put = (text: string) => {
    for (const character of charactersOf(text)) {
      if (character === "\n") lines.push("")
      else {
        if (widthOf(lines.at(-1)! + character) > columns - margin - 1) lines.push("")
        lines[lines.length - 1] += character
      }
    }
  }
  put(before)
  cursor = { row: lines.length - 1, column: margin + widthOf(lines.at(-1)!) }
  put(after)
  return { lines: lines.map((line, at) => `${at === 0 ? cyan(prompt) : "  "}${line}`), cursor }
}

const approval = ({ input, reason, server, tool }: Approval): ReadonlyArray<string> => [
  yellow(`? ${bold(clean(server === null ? tool : `${server}/${tool}`))} wants to run: ${inputLine(input)}`),
  ...(reason === null ? [] : [dim(`  ${clean(reason)}`)])
]

const asked = (ask: Ask, isDenying: boolean, isTyping: boolean): ReadonlyArray<string> => {
  if (ask._tag === "Approval") {
    const keys = isDenying
      ? "  Say why not, or nothing, and press Enter; Esc goes back"
      : isTyping
        ? "  Send or clear what is typed, then: y once · a for this session · n deny"
        : "  y once · a for this session · n deny"
    return [...approval(ask.approval), dim(keys)]
  }
  const options = choicesOf(ask.question).map(({ description, label }, at) => {
    const more = description === undefined ? "" : dim(` ${clean(description)}`)
    return `  ${at + 1} ${clean(label)}${more}`
  })
  const how = {
    choice: "  A number chooses, or type an answer",
    multi_choice: "  Numbers with commas between them, then Enter",
    form: "  The answer as JSON, then Enter"
  }
  const kind = ask.question.question?.["kind"] as keyof typeof how
  return [yellow(`? ${clean(questionOf(ask.question))}`), ...options, dim(how[kind] ?? "  Type the answer, then Enter")]
}

const commandLines = (text: string): ReadonlyArray<string> =>
  commandsFor(text).map(({ about, name, takes }) => `  ${`/${name} ${takes}`.trim().padEnd(14)} ${about}`)

const seconds = (ms: number) => `${Math.max(0, Math.floor(ms / 1_000))} s`

const activity = (model: Model, now: number): string | null => {
  if (model.notice !== null) return yellow(`! ${model.notice}`)
  if (model.isInterrupting) return dim("Interrupting …")
  if (model.isLeaving) return dim("Ctrl-C once more leaves; the session goes on")
  if (model.asks.length > 0 || model.workingSince === null) return null
  return dim(`Working, ${seconds(now - model.workingSince)} · esc interrupts`)
}

/** Everything below what stays: it fits, whatever there is of it. */
export const view = (model: Model, columns: number, rows: number, now: number): Drawn => {
  const [ask] = model.asks
  const isTyping = textOf(model.editor) !== ""
  const doing = activity(model, now)
  const above = [
    ...(model.partial === "" ? [] : wrap(model.partial, columns - 1)),
    ...model.calls.map(({ line }) => dim(cut(`○ ${line}`, columns - 1))),
    ...(ask === undefined ? [] : asked(ask, model.isDenying, isTyping).flatMap((line) => wrap(line, columns - 1))),
    ...(model.asks.length > 1 ? [dim(`  ${model.asks.length - 1} more after this`)] : []),
    ...(doing === null ? [] : wrap(doing, columns - 1)),
    ...commandLines(textOf(model.editor)).map((line) => dim(cut(line, columns - 1))),
    ...model.queued.map(({ text }) => dim(cut(`  queued: ${text.replaceAll(/\s+/g, " ")}`, columns - 1)))
  ]
  const input = typed(model.editor, columns)
  const height = Math.max(1, Math.min(5, rows - 2))
  const from = Math.max(0, Math.min(input.cursor.row - Math.floor(height / 2), input.lines.length - height))
  const shown = input.lines.slice(from, from + height)
  const room = Math.max(0, rows - shown.length - 2)
  const kept = room === 0 ? [] : above.slice(-room)
  return {
    lines: [...kept, ...shown, dim(cut(model.standing, columns - 1))],
    cursor: { row: kept.length + input.cursor.row - from, column: input.cursor.column }
  }
}
