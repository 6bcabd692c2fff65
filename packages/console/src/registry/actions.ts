import { useEffect, useMemo, useSyncExternalStore } from "react"
import { type Sequence, take } from "./keys.logic.ts"

/** Something a person can do here. Said once: keys, palette and help all read it. */
export interface Action {
  readonly id: string
  readonly title: string
  readonly section: string
  readonly keys?: string
  readonly whileTyping?: boolean
  /** Words that find it, beside its title. */
  readonly words?: string
  readonly run: () => void
}

let groups: ReadonlyArray<{ readonly of: symbol; readonly actions: ReadonlyArray<Action> }> = []
let all: ReadonlyArray<Action> = []
const listeners = new Set<() => void>()

const publish = (next: typeof groups): void => {
  groups = next
  all = groups.flatMap(({ actions }) => actions)
  for (const listener of listeners) listener()
}

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

/** Actions that there are while a component is on the screen. */
export const useActions = (actions: ReadonlyArray<Action>): void => {
  const of = useMemo(() => Symbol("actions"), [])
  useEffect(() => {
    const there = groups.some((group) => group.of === of)
    publish(there ? groups.map((group) => (group.of === of ? { of, actions } : group)) : [...groups, { of, actions }])
  }, [of, actions])
  useEffect(() => () => publish(groups.filter((group) => group.of !== of)), [of])
}

export const useAllActions = (): ReadonlyArray<Action> => useSyncExternalStore(subscribe, () => all)

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    (target instanceof HTMLInputElement && !["checkbox", "radio", "button", "range"].includes(target.type)))

const inDialog = (): boolean => document.querySelector('[role="dialog"],[role="alertdialog"],[role="menu"]') !== null

/** Listens to the keyboard and runs what a press means. */
export const listenToKeys = (): (() => void) => {
  let sequence: Sequence | null = null
  const onKey = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing || ["Shift", "Control", "Meta", "Alt"].includes(event.key)) return
    // An open dialog has keys of its own.
    const usable = inDialog() ? all.filter(({ keys }) => keys?.startsWith("mod+") === true) : all
    const found = take(usable, sequence, event, { at: event.timeStamp, isTyping: isTyping(event.target) })
    sequence = found.sequence
    if (found.action === null) return
    event.preventDefault()
    found.action.run()
  }
  window.addEventListener("keydown", onKey)
  return () => window.removeEventListener("keydown", onKey)
}
