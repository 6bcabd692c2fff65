import { stripVTControlCharacters } from "node:util"

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" })
const wide =
  /^[\u1100-\u115F\u2E80-\u303E\u3041-\u33FF\u3400-\u4DBF\u4E00-\u9FFF\uA000-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|^\p{Emoji_Presentation}|\uFE0F/u
const invisible = /^\p{M}+$/u

/** What people see as one character each. */
export const charactersOf = (text: string): ReadonlyArray<string> =>
  Array.from(graphemes.segment(text), ({ segment }) => segment)

const ofCharacter = (character: string): number => (invisible.test(character) ? 0 : wide.test(character) ? 2 : 1)

const plain = /^[\u0020-\u007E]*$/

/** How many columns a terminal takes for it, colours aside. */
export const widthOf = (text: string): number => {
  const bare = stripVTControlCharacters(text)
  if (plain.test(bare)) return bare.length
  return charactersOf(bare).reduce((sum, character) => sum + ofCharacter(character), 0)
}

/** As much of plain text as fits, with a mark where something is missing. */
export const cut = (text: string, columns: number): string => {
  if (widthOf(text) <= columns) return text
  let width = 0
  let all = ""
  for (const character of charactersOf(text)) {
    width += ofCharacter(character)
    if (width > columns - 1) break
    all += character
  }
  return `${all}…`
}
