/** What a key press is, written as people write it: `mod+k`, `shift+?`, `g`, `escape`. */
export interface Press {
  readonly key: string
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly altKey: boolean
  readonly shiftKey: boolean
}

const names: Readonly<Record<string, string>> = {
  " ": "space",
  esc: "escape",
  arrowup: "up",
  arrowdown: "down",
  arrowleft: "left",
  arrowright: "right"
}

export const nameOf = ({ altKey, ctrlKey, key, metaKey, shiftKey }: Press): string => {
  const low = key.toLowerCase()
  const name = names[low] ?? low
  // A sign that needs Shift on some keyboards says so itself.
  const isShifted = shiftKey && (name.length > 1 || /[a-z]/.test(name))
  return [ctrlKey || metaKey ? "mod" : "", altKey ? "alt" : "", isShifted ? "shift" : "", name]
    .filter((part) => part !== "")
    .join("+")
}

/** Keys pressed one after the other, while the second may still belong to the first. */
export interface Sequence {
  readonly pressed: string
  readonly at: number
}

export const sequenceWithinMs = 1_200

export interface Bound {
  readonly keys?: string | undefined
  /** Whether it also works while somebody writes. */
  readonly whileTyping?: boolean | undefined
}

/** What a press means: the action it completes, or that it may begin one. */
export const take = <A extends Bound>(
  actions: ReadonlyArray<A>,
  before: Sequence | null,
  press: Press,
  { at, isTyping }: { readonly at: number; readonly isTyping: boolean }
): { readonly action: A | null; readonly sequence: Sequence | null } => {
  const name = nameOf(press)
  const usable = actions.filter(({ keys, whileTyping }) => keys !== undefined && (!isTyping || whileTyping === true))
  const joined = before !== null && at - before.at < sequenceWithinMs ? `${before.pressed} ${name}` : null
  // The last one registered is the nearest to what is on the screen.
  const find = (keys: string | null) => (keys === null ? undefined : usable.findLast((one) => one.keys === keys))
  const action = find(joined) ?? find(name)
  if (action !== undefined) return { action, sequence: null }
  const begins = usable.some(({ keys }) => keys!.startsWith(`${name} `))
  return { action: null, sequence: begins ? { pressed: name, at } : null }
}

const signs: Readonly<Record<string, string>> = {
  escape: "Esc",
  enter: "↵",
  up: "↑",
  down: "↓",
  left: "←",
  right: "→",
  shift: "⇧",
  alt: "⌥"
}

/** Keys as they are drawn: one list of signs for each press. */
export const drawn = (keys: string, isMac: boolean): ReadonlyArray<ReadonlyArray<string>> =>
  keys
    .split(" ")
    .map((press) =>
      press.split("+").map((part) => (part === "mod" ? (isMac ? "⌘" : "Ctrl") : (signs[part] ?? part.toUpperCase())))
    )
