/** What JSON takes between values. */
const space = /[\t\n\r ]*/y
const scalar = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/y
const escaped = /\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4})/y
/** As much of a scalar as stands there, where it is none. */
const begun = /[-+.\w]*/y

const after = (pattern: RegExp, text: string, at: number): number => {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : -1
}

/** Where a text stops being JSON. */
class Fault {
  readonly at: number
  constructor(at: number) {
    this.at = at
  }
}

const pass = (text: string, at: number) => after(space, text, at)

const string = (text: string, begin: number): number => {
  for (let at = begin + 1; at < text.length; at++) {
    const character = text[at]!
    if (character === '"') return at + 1
    if (character < " ") throw new Fault(at)
    if (character !== "\\") continue
    const end = after(escaped, text, at)
    if (end < 0) throw new Fault(at)
    at = end - 1
  }
  throw new Fault(text.length)
}

const need = (text: string, at: number, character: string): number => {
  if (text[at] !== character) throw new Fault(at)
  return at + 1
}

const members = (text: string, begin: number, close: string, member: (at: number) => number): number => {
  let at = pass(text, begin + 1)
  if (text[at] === close) return at + 1
  for (;;) {
    at = pass(text, member(at))
    if (text[at] === close) return at + 1
    at = pass(text, need(text, at, ","))
  }
}

const value = (text: string, at: number): number => {
  switch (text[at]) {
    case '"':
      return string(text, at)
    case "[":
      return members(text, at, "]", (from) => value(text, from))
    case "{":
      return members(text, at, "}", (from) => {
        if (text[from] !== '"') throw new Fault(from)
        return value(text, pass(text, need(text, pass(text, string(text, from)), ":")))
      })
    default: {
      const end = after(scalar, text, at)
      // Of what only begins like one, it is the whole that is wrong.
      if (end < 0 || end < after(begun, text, at)) throw new Fault(at)
      return end
    }
  }
}

/**
 * Where a text stops being JSON, in words: what parsers say of it differs, and often has no place in it. The text nests no
 * deeper than bodies may.
 */
export const jsonFault = (text: string): string | null => {
  try {
    const end = pass(text, value(text, pass(text, 0)))
    if (end < text.length) throw new Fault(end)
    return null
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault
    const before = text.slice(0, fault.at)
    const line = before.split("\n").length
    const column = fault.at - before.lastIndexOf("\n")
    const where = `line ${line}, column ${column}`
    return fault.at >= text.length ? `it ends too soon, at ${where}` : `see ${where}`
  }
}
