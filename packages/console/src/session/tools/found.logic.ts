import type { Json } from "@troupe/domain/Json"
import { textIn } from "../content.logic.ts"

/** What a tool answers with is text for models. Here it is read back into what it tells. */

const noteAt = /(?:^|\n+)(\[(?:Not all of them|There is more|Shown are)[^\n]*\])$/

/** The sentence in brackets that stands at the end where there is more. */
const withoutNote = (answer: string): { readonly body: string; readonly note: string | null } => {
  const found = noteAt.exec(answer)
  return found === null
    ? { body: answer, note: null }
    : { body: answer.slice(0, found.index), note: found[1]!.slice(1, -1) }
}

export interface Paths {
  readonly paths: ReadonlyArray<string>
  readonly note: string | null
}

/** Of `glob`. */
export const pathsIn = (answer: string): Paths => {
  const { body, note } = withoutNote(answer)
  return /^No files match .*\.$/s.test(body) ? { paths: [], note: body } : { paths: body.split("\n"), note }
}

export interface FoundLine {
  /** Null where they were not asked for. */
  readonly number: number | null
  /** Every second piece is what was looked for. */
  readonly pieces: ReadonlyArray<string>
  /** Not found itself, but around what was. */
  readonly isAround: boolean
}

export interface FoundFile {
  readonly path: string
  /** How many lines were found, where only that was asked for. */
  readonly count: number | null
  readonly lines: ReadonlyArray<FoundLine>
}

export interface Found {
  readonly files: ReadonlyArray<FoundFile>
  readonly note: string | null
}

const asksAround = (input: Json): boolean =>
  typeof input === "object" && input !== null && ["-A", "-B", "-C"].some((flag) => flag in input)

const hasNumbers = (input: Json): boolean =>
  !(typeof input === "object" && input !== null && (input as { readonly [name: string]: Json })["-n"] === false)

const matching = /^(.+?):(\d+):(.*)$/s

/** The beginnings of a line that may be a path, before the number of a line around. */
const pathsBefore = (line: string): ReadonlyArray<readonly [path: string, number: number, text: string]> =>
  [...line.matchAll(/-(\d+)-/g)].flatMap(({ 0: joint, 1: number, index }) =>
    index === 0 ? [] : [[line.slice(0, index), Number(number), line.slice(index + joint.length)]]
  )

interface Read extends Omit<FoundLine, "pieces"> {
  readonly path: string
  readonly text: string
}

/** A line around what was found is `path-12-text`: where the path ends is known by those that were found there. */
const lineReader = (lines: ReadonlyArray<string>, input: Json) => {
  const isAround = asksAround(input)
  const known = new Set(isAround ? lines.flatMap((line) => matching.exec(line)?.[1] ?? []) : [])
  return (line: string): Read | null => {
    if (!hasNumbers(input)) {
      const at = line.indexOf(":")
      return at <= 0 ? null : { path: line.slice(0, at), number: null, text: line.slice(at + 1), isAround: false }
    }
    const [, path = "", number, text = ""] = matching.exec(line) ?? []
    const around = isAround ? pathsBefore(line).find(([before]) => known.has(before)) : undefined
    if (around !== undefined && (number === undefined || around[0].length < path.length)) {
      return { path: around[0], number: around[1], text: around[2], isAround: true }
    }
    return number === undefined ? null : { path, number: Number(number), text, isAround: false }
  }
}

const contentIn = (lines: ReadonlyArray<string>, input: Json): ReadonlyArray<FoundFile> => {
  const files = new Map<string, Array<FoundLine>>()
  const read = lineReader(lines, input)
  const mark = marker(input)
  let last: Array<FoundLine> | undefined
  for (const line of lines) {
    if (line === "--") continue
    const found = read(line)
    if (found === null) {
      // The rest of a match that goes over line ends.
      last?.push({ number: null, pieces: [line], isAround: true })
      continue
    }
    const { isAround, number, path, text } = found
    last = files.get(path) ?? []
    last.push({ number, isAround, pieces: isAround ? [text] : mark(text) })
    files.set(path, last)
  }
  return [...files].map(([path, found]) => ({ path, count: null, lines: found }))
}

/** Of `grep`, in each of its modes. */
export const foundIn = (answer: string, input: Json): Found => {
  const { body, note } = withoutNote(answer)
  if (body === "No matches.") return { files: [], note: body }
  const lines = body.split("\n")
  const mode = textIn(input, "output_mode") ?? "files_with_matches"
  if (mode === "content") return { files: contentIn(lines, input), note }
  return {
    files: lines.map((line) => {
      const [, path, count] = (mode === "count" ? /^(.+):(\d+)$/.exec(line) : null) ?? []
      return { path: path ?? line, count: count === undefined ? null : Number(count), lines: [] }
    }),
    note
  }
}

const quantified = /\)[*+{]|[*+{?][*+{]/
/** What JavaScript reads otherwise than who searched. */
const unlike = /\\[pPAzZGKQ]|\\x\{|\[\[:|\(\?[^:i)]/

/** How long a pattern may take on a line at most: browsers try again what ripgrep never does. */
const stepsOn = (pattern: string, length: number): number => {
  const plain = pattern.replaceAll(/\\./g, "x").replaceAll(/\[\^?\]?[^\]]*\]/g, "x")
  if (quantified.test(plain)) return Infinity
  const many = plain.match(/[*+{]/g)?.length ?? 0
  const either = plain.match(/[?|]/g)?.length ?? 0
  return (length + 1) ** (many + 1) * 2 ** either
}

const stepsMax = 2e8

/** Marks what a pattern finds in lines, one after the other, for as long as that is sure to be quick. */
const marker = (input: Json): ((line: string) => ReadonlyArray<string>) => {
  const given = textIn(input, "pattern") ?? ""
  const inline = given.startsWith("(?i)")
  const pattern = inline ? given.slice(4) : given
  const isAnyCase = inline || (typeof input === "object" && input !== null && "-i" in input && input["-i"] === true)
  const regex = unlike.test(pattern) ? null : compiled(pattern, isAnyCase)
  let left = stepsMax
  return (line) => {
    left -= stepsOn(pattern, line.length)
    return regex === null || left < 0 ? [line] : marked(line, regex)
  }
}

const compiled = (pattern: string, isAnyCase: boolean): RegExp | null => {
  try {
    return new RegExp(pattern, isAnyCase ? "gi" : "g")
  } catch {
    return null
  }
}

const marked = (line: string, regex: RegExp): ReadonlyArray<string> => {
  const pieces: Array<string> = []
  let end = 0
  for (const { 0: found, index } of line.matchAll(regex)) {
    if (found === "") continue
    pieces.push(line.slice(end, index), found)
    end = index + found.length
  }
  return [...pieces, line.slice(end)]
}
