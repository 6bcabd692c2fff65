import type { DiffLine } from "./patch.logic.ts"

/** What somebody has to say of lines of a difference, until it is sent. */
export interface Comment {
  readonly id: string
  readonly path: string
  readonly lines: ReadonlyArray<DiffLine>
  readonly words: string
}

const span = (numbers: ReadonlyArray<number>): string =>
  numbers.length === 1 ? `${numbers[0]}` : `${numbers[0]}-${numbers.at(-1)}`

/** Where it is, as one names places in files: by the lines as they are now, or as they were where they are gone. */
export const placeOf = ({ lines, path }: Pick<Comment, "lines" | "path">): string => {
  const after = lines.flatMap((line) => line.after ?? [])
  if (after.length > 0) return `${path}:${span(after)}`
  const before = lines.flatMap((line) => line.before ?? [])
  return before.length > 0 ? `${path}:${span(before)} (removed)` : path
}

const signs: Readonly<Record<DiffLine["kind"], string>> = { same: " ", added: "+", removed: "-", skipped: "" }

/** The lines between fences that they have nothing as long as. */
const quoteOf = (lines: ReadonlyArray<DiffLine>): string => {
  const text = lines.map(({ kind, text: line }) => signs[kind] + line).join("\n")
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length))
  const fence = "`".repeat(longest + 1)
  return `${fence}diff\n${text}\n${fence}`
}

/** A message as it is sent: each comment under what it is about, then what else is said. */
export const withComments = (comments: ReadonlyArray<Comment>, words: string): string =>
  [
    ...comments.map((comment) => `\`${placeOf(comment)}\`\n${quoteOf(comment.lines)}\n${comment.words}`),
    ...(words === "" ? [] : [words])
  ].join("\n\n")

export const nextId = (comments: ReadonlyArray<Comment>): string =>
  String(1 + Math.max(0, ...comments.map(({ id }) => Number(id))))

const isSame = (a: DiffLine, b: DiffLine): boolean =>
  a.kind === b.kind && a.text === b.text && a.before === b.before && a.after === b.after

/** Whether something is said of a line. */
export const isCommented = (comments: ReadonlyArray<Comment>, path: string, line: DiffLine): boolean =>
  comments.some((comment) => comment.path === path && comment.lines.some((one) => isSame(one, line)))

const isComment = (value: unknown): value is Comment => {
  const { id, lines, path, words } = (value ?? {}) as Readonly<Record<string, unknown>>
  return (
    [id, path, words].every((one) => typeof one === "string") &&
    Array.isArray(lines) &&
    lines.every((line) => typeof line === "object" && line !== null && "kind" in line && "text" in line)
  )
}

/** What a tab kept; what can't be read was kept by another release, and is nothing. */
export const readComments = (text: string | undefined): ReadonlyArray<Comment> => {
  try {
    const value: unknown = JSON.parse(text ?? "[]")
    return Array.isArray(value) ? value.filter(isComment) : []
  } catch {
    return []
  }
}
