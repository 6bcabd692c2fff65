import { mentionTyped } from "../attachments/mentions.ts"
import { edit, type Editor, type Key, taken, textOf } from "../terminal/Editor.ts"
import { commandsFor } from "./commands.ts"
import type { Model } from "./Model.ts"
import { choicesOf } from "./questions.ts"

/** What a person wants. */
export type Intent =
  | { readonly _tag: "Send"; readonly text: string }
  | { readonly _tag: "Command"; readonly text: string }
  | { readonly _tag: "Allow"; readonly scope: "once" | "session" }
  | { readonly _tag: "Deny"; readonly message: string | null }
  | { readonly _tag: "Answer"; readonly text: string }
  | { readonly _tag: "Interrupt" }
  /** What was said last and waits is wanted back, to be changed. */
  | { readonly _tag: "TakeBack" }
  /** What was shown in short is wanted whole. */
  | { readonly _tag: "Unfold" }
  /** A path is to be written to its end. */
  | { readonly _tag: "Complete"; readonly path: string }
  /** The shell is wanted, and this later. */
  | { readonly _tag: "Suspend" }
  | { readonly _tag: "Quit" }

export interface Pressed {
  readonly model: Model
  readonly intent: Intent | null
}

const only = (model: Model): Pressed => ({ model, intent: null })
const wants = (model: Model, intent: Intent): Pressed => ({ model, intent })

const stopping = (model: Model): Pressed =>
  model.isInterrupting
    ? wants(model, { _tag: "Quit" })
    : wants({ ...model, isInterrupting: true }, { _tag: "Interrupt" })

/** Work goes on, or waits for a person. */
const isBusy = ({ asks, workingSince }: Model) => workingSince !== null || asks.length > 0

const leaving = (model: Model): Pressed =>
  model.isLeaving ? wants(model, { _tag: "Quit" }) : only({ ...model, isLeaving: true })

const control = (model: Model, name: string): Pressed | null => {
  const { editor } = model
  const isEmpty = textOf(editor) === ""
  if (name === "z") return wants(model, { _tag: "Suspend" })
  if (name === "o") return wants(model, { _tag: "Unfold" })
  if (name === "d" && isEmpty) return wants(model, { _tag: "Quit" })
  if (name !== "c") return null
  if (!isEmpty) return only({ ...model, editor: { ...editor, before: "", after: "" } })
  return isBusy(model) ? stopping(model) : leaving(model)
}

/** One key decides, while nothing else is typed. */
const decision = (model: Model, text: string): Pressed | null => {
  const [ask] = model.asks
  if (ask === undefined || model.isDenying || textOf(model.editor) !== "") return null
  if (ask._tag === "Question") {
    const isChoice = ask.question.question?.["kind"] === "choice"
    const choice = isChoice && /^[1-9]$/.test(text) ? choicesOf(ask.question)[Number(text) - 1] : undefined
    return choice === undefined ? null : wants(model, { _tag: "Answer", text })
  }
  if (text === "y") return wants(model, { _tag: "Allow", scope: "once" })
  if (text === "a") return wants(model, { _tag: "Allow", scope: "session" })
  return text === "n" ? only({ ...model, isDenying: true }) : null
}

const entered = (model: Model): Pressed => {
  const text = textOf(model.editor).trim()
  const next = { ...model, editor: taken(model.editor) }
  if (model.isDenying) {
    return wants({ ...next, isDenying: false }, { _tag: "Deny", message: text === "" ? null : text })
  }
  if (text === "") return only(model)
  if (text.startsWith("/")) return wants(next, { _tag: "Command", text })
  return wants(next, model.asks[0]?._tag === "Question" ? { _tag: "Answer", text } : { _tag: "Send", text })
}

/** What comes of a key: another picture, and what the person wants by it, if anything. */
export const press = (before: Model, text: string | undefined, key: Key): Pressed => {
  const { ctrl = false, name = "" } = key
  if (ctrl && !before.editor.isPasting) {
    const done = control(before, name)
    if (done !== null) return done
  }
  return pressed({ ...before, isLeaving: false }, text, key)
}

const pressed = (model: Model, text: string | undefined, key: Key): Pressed => {
  const { ctrl = false, meta = false, name = "" } = key
  if (ctrl) return only({ ...model, editor: edit(model.editor, text, key) })
  if (!meta && !model.editor.isPasting) {
    if (name === "return") return entered(model)
    if (name === "up" && textOf(model.editor) === "" && model.queued.length > 0) {
      return wants(model, { _tag: "TakeBack" })
    }
    if (name === "tab") {
      const path = mentionTyped(model.editor.before)
      return path === null
        ? only({ ...model, editor: completed(model.editor) })
        : wants(model, { _tag: "Complete", path })
    }
    if (text !== undefined) {
      const decided = decision(model, text)
      if (decided !== null) return decided
    }
  }
  if (name === "escape") {
    if (model.isDenying) return only({ ...model, isDenying: false })
    return isBusy(model) ? wants({ ...model, isInterrupting: true }, { _tag: "Interrupt" }) : only(model)
  }
  return only({ ...model, editor: edit(model.editor, text, key) })
}

/** The name of a command that can be no other one is written to its end. */
const completed = (editor: Editor): Editor => {
  const [found, ...others] = commandsFor(textOf(editor))
  return found === undefined || others.length > 0
    ? editor
    : { ...editor, before: `/${found.name}${found.takes === "" ? "" : " "}`, after: "" }
}
