import { charactersOf, widthOf } from "./width.ts"

// eslint-disable-next-line no-control-regex
const words = /\s+|(?:\u001B\[[0-9;]*m|\S)+/g
// eslint-disable-next-line no-control-regex
const styles = /(\u001B\[[0-9;]*m)/

interface Line {
  readonly text: string
  readonly width: number
}

/** Breaks a line where it meets the edge: between words where there are some, else within one. Styles go on. */
export const wrap = (line: string, columns: number): ReadonlyArray<string> => {
  if (widthOf(line) <= columns) return [line]
  const done: Array<string> = []
  let now: Line = { text: "", width: 0 }
  const put = (text: string, width: number) => {
    now = { text: now.text + text, width: now.width + width }
  }
  const broken = () => {
    done.push(now.text)
    now = { text: "", width: 0 }
  }
  const letter = (text: string) => {
    const width = widthOf(text)
    if (now.width + width > columns) broken()
    put(text, width)
  }
  const word = (text: string) => {
    const width = widthOf(text)
    if (now.width + width > columns && now.width > 0) broken()
    if (now.width === 0 && done.length > 0 && text.trim() === "") return
    if (width <= columns) return put(text, width)
    for (const piece of text.split(styles)) {
      if (piece.startsWith("\u001B[")) put(piece, 0)
      else for (const character of charactersOf(piece)) letter(character)
    }
  }
  for (const part of line.match(words) ?? []) word(part)
  if (now.text !== "") broken()
  return done
}
