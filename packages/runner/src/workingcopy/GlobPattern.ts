import { FileError } from "@troupe/domain/runner/Files"

/**
 * Patterns of paths: `*`, `?`, `[a-z]`, `[!a-z]`, `{a,b}`, `{1..9}`, `**` for any number of directories, and `\` before a
 * character that is meant as it is. They come from agents, as do the names they are held against, so matching takes time
 * in proportion to pattern times path, whatever they are; regular expressions would not.
 */
export interface GlobPattern {
  readonly matches: (path: ReadonlyArray<string>) => boolean
  /** Whether something below this directory could match. */
  readonly reaches: (directory: ReadonlyArray<string>) => boolean
}

type Atom =
  | { readonly _tag: "One" }
  | { readonly _tag: "Many" }
  | { readonly _tag: "Character"; readonly character: string }
  | { readonly _tag: "Class"; readonly negated: boolean; readonly ranges: ReadonlyArray<readonly [string, string]> }

export type Segment = { readonly _tag: "Directories" } | { readonly _tag: "Name"; readonly atoms: ReadonlyArray<Atom> }

const patternMax = 1_024
const alternativesMax = 256

export const globPattern = (pattern: string): GlobPattern => {
  if (pattern === "" || pattern.length > patternMax || pattern.includes("\0")) {
    throw badPattern(pattern, `it has 1 to ${patternMax} characters and no NUL`)
  }
  const alternatives = expandBraces(pattern).map(segmentsOf)
  return {
    matches: (path) => alternatives.some((segments) => ends(segments, path)),
    reaches: (directory) =>
      alternatives.some((segments) => after(segments, directory).some((at) => at < segments.length))
  }
}

const badPattern = (pattern: string, detail: string) =>
  new FileError({ path: pattern.slice(0, 200), reason: { _tag: "BadPath", detail: `not a pattern: ${detail}` } })

export const segmentsOf = (pattern: string): ReadonlyArray<Segment> =>
  pattern
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .flatMap((part, index, parts) =>
      part !== "**" ? [nameSegment(part)] : index < parts.length - 1 ? [directories] : [directories, nameSegment("*")]
    )

const directories: Segment = { _tag: "Directories" }
const nameSegment = (part: string): Segment => ({ _tag: "Name", atoms: atomsOf(part) })

/** Whether the segments match the whole path. */
export const ends = (segments: ReadonlyArray<Segment>, path: ReadonlyArray<string>): boolean =>
  after(segments, path).includes(segments.length)

/** All places in the segments where one can be after the path. */
const after = (segments: ReadonlyArray<Segment>, path: ReadonlyArray<string>): ReadonlyArray<number> => {
  let places = open(segments, [0])
  for (const name of path) {
    const next = places.flatMap((at) => {
      const segment = segments[at]
      if (segment === undefined) return []
      if (segment._tag === "Directories") return [at]
      return matchesName(segment.atoms, name) ? [at + 1] : []
    })
    if (next.length === 0) return []
    places = open(segments, next)
  }
  return places
}

/** `**` may stand for no directory at all. */
const open = (segments: ReadonlyArray<Segment>, places: ReadonlyArray<number>): ReadonlyArray<number> => {
  const reached = new Set<number>()
  for (const place of places) {
    let at = place
    reached.add(at)
    while (segments[at]?._tag === "Directories") reached.add(++at)
  }
  return [...reached]
}

/** Goes back only to the last `*`: what an earlier one took can stay taken. */
export const matchesName = (atoms: ReadonlyArray<Atom>, name: string): boolean => {
  const characters = [...name]
  let atom = 0
  let at = 0
  let star = -1
  let taken = 0
  while (at < characters.length) {
    const current = atoms[atom]
    if (current?._tag === "Many") {
      star = atom++
      taken = at
    } else if (current !== undefined && matchesCharacter(current, characters[at]!)) {
      atom++
      at++
    } else if (star >= 0) {
      atom = star + 1
      at = ++taken
    } else return false
  }
  while (atoms[atom]?._tag === "Many") atom++
  return atom === atoms.length
}

const matchesCharacter = (atom: Atom, character: string): boolean => {
  switch (atom._tag) {
    case "Character":
      return atom.character === character
    case "Class":
      return atom.ranges.some(([low, high]) => low <= character && character <= high) !== atom.negated
    default:
      return true
  }
}

export const atomsOf = (part: string): ReadonlyArray<Atom> => {
  const characters = [...part]
  const atoms: Array<Atom> = []
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!
    const found = character === "[" ? classAt(characters, at) : undefined
    if (found !== undefined) {
      atoms.push(found.atom)
      at = found.end
    } else if (character === "*") {
      if (atoms.at(-1)?._tag !== "Many") atoms.push({ _tag: "Many" })
    } else if (character === "?") atoms.push({ _tag: "One" })
    else if (character === "\\" && at + 1 < characters.length) {
      atoms.push({ _tag: "Character", character: characters[++at]! })
    } else atoms.push({ _tag: "Character", character })
  }
  return atoms
}

/** A bracket that is never closed is a bracket. */
const classAt = (characters: ReadonlyArray<string>, start: number): { atom: Atom; end: number } | undefined => {
  const negated = characters[start + 1] === "!" || characters[start + 1] === "^"
  const ranges: Array<readonly [string, string]> = []
  const first = start + (negated ? 2 : 1)
  for (let at = first; at < characters.length; at++) {
    if (characters[at] === "]" && at > first) return { atom: { _tag: "Class", negated, ranges }, end: at }
    if (characters[at] === "\\") at++
    const low = characters[at]
    if (low === undefined) return undefined
    const high = characters[at + 1] === "-" && characters[at + 2] !== "]" ? characters[at + 2] : undefined
    ranges.push([low, high ?? low])
    if (high !== undefined) at += 2
  }
  return undefined
}

/** Splits at commas that are not escaped and in no braces. */
const splitAtCommas = (text: string): ReadonlyArray<string> => {
  const parts: Array<string> = []
  let depth = 0
  let start = 0
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === "\\") at++
    else if (character === "{") depth++
    else if (character === "}") depth--
    else if (character === "," && depth === 0) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  return [...parts, text.slice(start)]
}

export const expandBraces = (pattern: string): ReadonlyArray<string> => {
  const expanded: Array<string> = []
  const pending = [{ done: "", rest: pattern }]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const group = groupIn(next.rest)
    if (group === undefined) expanded.push(next.done + next.rest)
    else {
      const { after: rest, before, options } = group
      for (const option of options.toReversed()) pending.push({ done: next.done + before, rest: option + rest })
    }
    if (expanded.length + pending.length > alternativesMax) {
      throw badPattern(pattern, `its braces stand for more than ${alternativesMax} patterns`)
    }
  }
  return expanded
}

const groupIn = (text: string) => {
  for (let start = 0; start < text.length; start++) {
    if (text[start] === "\\") start++
    else if (text[start] === "{") {
      const end = closing(text, start)
      const options = end === undefined ? undefined : optionsOf(text.slice(start + 1, end))
      if (end !== undefined && options !== undefined) {
        return { before: text.slice(0, start), options, after: text.slice(end + 1) }
      }
    }
  }
  return undefined
}

const closing = (text: string, start: number): number | undefined => {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    if (text[at] === "\\") at++
    else if (text[at] === "{") depth++
    else if (text[at] === "}" && --depth === 0) return at
  }
  return undefined
}

const optionsOf = (inside: string): ReadonlyArray<string> | undefined => {
  const range = /^(-?\d{1,6})\.\.(-?\d{1,6})$/.exec(inside)
  if (range !== null) {
    const [from, to] = [Number(range[1]), Number(range[2])]
    const count = Math.min(Math.abs(to - from), alternativesMax) + 1
    return Array.from({ length: count }, (_, index) => String(from + Math.sign(to - from) * index))
  }
  const options = splitAtCommas(inside)
  return options.length > 1 ? options : undefined
}
