import { isUtf8 } from "node:buffer"

declare const bytes: unique symbol

/**
 * The bytes of a file's name, each as the character of that number. An agent may give a file a name that is no text;
 * this form loses nothing, compares as the bytes do, and is the text itself where that is ASCII.
 */
export type Name = string & { readonly [bytes]: true }

export const nameMax = 255

// oxlint-disable-next-line no-control-regex
const plain = /^[\x00-\x5b\x5d-\x7f]*$/

/** As the system gave it, read as Latin-1. */
export const nameOf = (latin1: string): Name => latin1 as Name

/** For people and for the wire: bytes that are no UTF-8 become `\xHH`, and a backslash that would read as one `\x5c`. */
export const nameToText = (name: Name): string => {
  if (plain.test(name)) return name
  const raw = Buffer.from(name, "latin1")
  if (isUtf8(raw)) return escapeBackslashes(raw.toString("utf8"))
  let text = ""
  for (let at = 0; at < raw.length;) {
    const length = characterAt(raw, at)
    text +=
      length === 0
        ? `\\x${raw[at]!.toString(16).padStart(2, "0")}`
        : escapeAt(raw.subarray(at, at + length).toString("utf8"), raw.subarray(at + 1, at + 4).toString("latin1"))
    at += Math.max(length, 1)
  }
  return text
}

/** Undoes `nameToText`. The text must be well formed. */
export const nameFromText = (text: string): Name => {
  if (plain.test(text)) return text as Name
  return text
    .split(escaped)
    .map((part, index) =>
      index % 2 === 1 ? String.fromCharCode(Number.parseInt(part, 16)) : Buffer.from(part, "utf8").toString("latin1")
    )
    .join("") as Name
}

/** What `nameToText` writes, and nothing else: no ASCII but the backslash itself. */
const escaped = /\\x([89a-f][0-9a-f]|5c(?=x(?:[89a-f][0-9a-f]|5c)))/

const readsAsEscape = /^x(?:[89a-f][0-9a-f]|5c)/

const escapeBackslashes = (text: string): string => text.replace(/\\(?=x(?:[89a-f][0-9a-f]|5c))/g, "\\x5c")

const escapeAt = (character: string, following: string): string =>
  character === "\\" && readsAsEscape.test(following) ? "\\x5c" : character

/** How many bytes the character at this place takes; 0 where there is none. */
const characterAt = (raw: Buffer, at: number): number => {
  for (let length = 1; length <= 4 && at + length <= raw.length; length++) {
    if (isUtf8(raw.subarray(at, at + length))) return length
  }
  return 0
}
