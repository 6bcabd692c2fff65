import { ends, type Segment, segmentsOf } from "./GlobPattern.ts"

/** The rules of a `.gitignore`, read as git reads them; patterns are held against names by ours, in bounded time. */
export interface IgnoreRules {
  /** How deep the directory of the file is. */
  readonly depth: number
  readonly rules: ReadonlyArray<Rule>
}

interface Rule {
  readonly segments: ReadonlyArray<Segment>
  readonly negated: boolean
  readonly directoriesOnly: boolean
}

const rulesMax = 1_000
const lineMax = 1_024

export const parseIgnore = (text: string, depth: number): IgnoreRules => ({
  depth,
  rules: text.split(/\r?\n/).slice(0, rulesMax).flatMap(parseLine)
})

const parseLine = (line: string): ReadonlyArray<Rule> => {
  const trimmed = line.replace(/(?<!\\)[ \t]+$/, "")
  if (trimmed === "" || trimmed.startsWith("#") || trimmed.length > lineMax) return []
  const negated = trimmed.startsWith("!")
  const pattern = negated ? trimmed.slice(1) : trimmed
  const directoriesOnly = pattern.endsWith("/")
  const body = directoriesOnly ? pattern.slice(0, -1) : pattern
  // A pattern with a slash is about this directory, one without about names at any depth.
  const segments = segmentsOf(body.includes("/") ? body : `**/${body}`)
  return segments.length === 0 ? [] : [{ segments, negated, directoriesOnly }]
}

/** The last rule that matches decides, and those of deeper directories come last. */
export const isIgnored = (
  files: ReadonlyArray<IgnoreRules>,
  path: ReadonlyArray<string>,
  isDirectory: boolean
): boolean => {
  for (const { depth, rules } of files.toReversed()) {
    const below = path.slice(depth)
    const rule = rules.findLast(
      (candidate) => (isDirectory || !candidate.directoriesOnly) && ends(candidate.segments, below)
    )
    if (rule !== undefined) return !rule.negated
  }
  return false
}
