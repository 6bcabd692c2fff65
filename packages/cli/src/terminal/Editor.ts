import { charactersOf } from "./width.ts"

/** A key as `node:readline` tells it. */
export interface Key {
  readonly name?: string | undefined
  readonly sequence?: string | undefined
  readonly ctrl?: boolean | undefined
  readonly meta?: boolean | undefined
  readonly shift?: boolean | undefined
}

/** What is being typed: the text on both sides of the cursor, and what was typed before. */
export interface Editor {
  readonly before: string
  readonly after: string
  readonly history: ReadonlyArray<string>
  /** Which of the history is shown: its length while it is none of it. */
  readonly at: number
  readonly isPasting: boolean
}

export const empty: Editor = { before: "", after: "", history: [], at: 0, isPasting: false }

export const textOf = ({ after, before }: Editor): string => before + after

/** What was typed is sent: it is history from now on. */
export const taken = (editor: Editor): Editor => {
  const text = textOf(editor)
  const history = text.trim() === "" || editor.history.at(-1) === text ? editor.history : [...editor.history, text]
  return { ...empty, history, at: history.length }
}

const last = (text: string): string => charactersOf(text).at(-1) ?? ""
const first = (text: string): string => charactersOf(text)[0] ?? ""

const insert = (editor: Editor, text: string): Editor => ({ ...editor, before: editor.before + text })

const recall = (editor: Editor, step: -1 | 1): Editor => {
  const at = Math.min(Math.max(editor.at + step, 0), editor.history.length)
  return at === editor.at ? editor : { ...editor, at, before: editor.history[at] ?? "", after: "" }
}

const lineStart = (before: string) => before.lastIndexOf("\n") + 1
const lineEnd = (after: string) => (after.includes("\n") ? after.indexOf("\n") : after.length)

/** Up and down go through the lines of what is typed, and beyond them through what was typed before. */
const vertical = (editor: Editor, step: -1 | 1): Editor => {
  const { after, before } = editor
  const start = lineStart(before)
  const column = before.length - start
  if (step < 0) {
    if (start === 0) return recall(editor, -1)
    const above = lineStart(before.slice(0, start - 1))
    const cut = above + Math.min(column, start - 1 - above)
    return { ...editor, before: before.slice(0, cut), after: before.slice(cut) + after }
  }
  const end = lineEnd(after)
  if (end === after.length) return recall(editor, 1)
  const below = after.slice(end + 1)
  const cut = end + 1 + Math.min(column, lineEnd(below))
  return { ...editor, before: before + after.slice(0, cut), after: after.slice(cut) }
}

const wordBefore = (before: string) => /\S*\s*$/.exec(before)![0].length
const wordAfter = (after: string) => /^\s*\S*/.exec(after)![0].length

const moved = (editor: Editor, by: number): Editor => {
  const text = textOf(editor)
  const at = editor.before.length + by
  return { ...editor, before: text.slice(0, at), after: text.slice(at) }
}

const withCtrl: Readonly<Record<string, (editor: Editor) => Editor>> = {
  a: (editor) => moved(editor, lineStart(editor.before) - editor.before.length),
  e: (editor) => moved(editor, lineEnd(editor.after)),
  u: (editor) => ({ ...editor, before: editor.before.slice(0, lineStart(editor.before)) }),
  k: (editor) => ({ ...editor, after: editor.after.slice(lineEnd(editor.after)) }),
  w: (editor) => ({ ...editor, before: editor.before.slice(0, editor.before.length - wordBefore(editor.before)) }),
  j: (editor) => insert(editor, "\n"),
  left: (editor) => moved(editor, -wordBefore(editor.before)),
  right: (editor) => moved(editor, wordAfter(editor.after))
}

const withMeta: Readonly<Record<string, (editor: Editor) => Editor>> = {
  return: (editor) => insert(editor, "\n"),
  enter: (editor) => insert(editor, "\n"),
  b: withCtrl["left"]!,
  f: withCtrl["right"]!,
  backspace: withCtrl["w"]!
}

const alone: Readonly<Record<string, (editor: Editor) => Editor>> = {
  backspace: (editor) => ({ ...editor, before: editor.before.slice(0, -last(editor.before).length || undefined) }),
  delete: (editor) => ({ ...editor, after: editor.after.slice(first(editor.after).length) }),
  left: (editor) => moved(editor, -last(editor.before).length),
  right: (editor) => moved(editor, first(editor.after).length),
  home: withCtrl["a"]!,
  end: withCtrl["e"]!,
  up: (editor) => vertical(editor, -1),
  down: (editor) => vertical(editor, 1),
  enter: (editor) => insert(editor, "\n"),
  "paste-start": (editor) => ({ ...editor, isPasting: true }),
  "paste-end": (editor) => ({ ...editor, isPasting: false })
}

/** What comes of a key. Those that mean more than text are looked at by whoever asks for it. */
export const edit = (editor: Editor, text: string | undefined, key: Key): Editor => {
  const { ctrl = false, meta = false, name = "" } = key
  if (editor.isPasting && (name === "return" || name === "tab")) return insert(editor, name === "tab" ? "  " : "\n")
  const table = ctrl ? withCtrl : meta ? withMeta : alone
  if (Object.hasOwn(table, name)) return table[name]!(editor)
  if (ctrl || meta || text === undefined) return editor
  // eslint-disable-next-line no-control-regex
  return /^[^\u0000-\u001F\u007F]+$/u.test(text) ? insert(editor, text) : editor
}
