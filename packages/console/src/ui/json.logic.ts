import type { Json } from "@troupe/domain/Json"
import { size } from "./format.logic.ts"

export type Branch = ReadonlyArray<Json> | Readonly<Record<string, Json>>

export const isBranch = (value: Json): value is Branch => typeof value === "object" && value !== null

export const entriesOf = (branch: Branch): ReadonlyArray<readonly [string, Json]> => Object.entries(branch)

/** The JSON Pointer of what is below a path. */
export const below = (path: string, name: string): string =>
  `${path}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`

/** As it is pasted elsewhere: texts as they are, the rest as JSON. */
export const copyOf = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value, null, 2))

const shownMax = 300
const beforeHit = 60

/** The beginning of a text that is long, or what is around the words that are looked for. */
export const folded = (text: string, words = ""): { readonly shown: string; readonly left: string | null } => {
  if (text.length <= shownMax) return { shown: text, left: null }
  const from = Math.max(0, (words === "" ? 0 : text.toLowerCase().indexOf(words)) - beforeHit)
  const shown = text.slice(from, from + shownMax)
  const bytes = new TextEncoder().encode(text).length
  return { shown: `${from > 0 ? "…" : ""}${shown}${from + shownMax < text.length ? "…" : ""}`, left: size(bytes) }
}

const entriesMax = 40

/** Whether one would rather search in it than read all of it. */
export const isBig = (value: Json): boolean => {
  let seen = 0
  const count = (some: Json): boolean => {
    if (typeof some === "string") return some.length > shownMax * 10
    if (!isBranch(some)) return false
    return entriesOf(some).some(([, one]) => ++seen > entriesMax || count(one))
  }
  return count(value)
}

/** What is found in a value, by JSON Pointers. */
export interface Sought {
  /** What is looked for, in small letters. */
  readonly words: string
  readonly hits: ReadonlySet<string>
  /** What leads to them. */
  readonly open: ReadonlySet<string>
}

/** Looks for words in names and values; null where nothing is looked for. */
export const soughtIn = (value: Json, wanted: string): Sought | null => {
  const words = wanted.trim().toLowerCase()
  if (words === "") return null
  const hits = new Set<string>()
  const open = new Set<string>()
  const has = (text: string) => text.toLowerCase().includes(words)
  const look = (some: Json, path: string): boolean => {
    if (!isBranch(some)) return false
    for (const [name, one] of entriesOf(some)) {
      const place = below(path, name)
      const isHit = has(name) || (!isBranch(one) && has(String(one)))
      if (isHit) hits.add(place)
      if (look(one, place)) open.add(place)
    }
    return [...entriesOf(some)].some(([name]) => hits.has(below(path, name)) || open.has(below(path, name)))
  }
  look(value, "")
  return { words, hits, open }
}
