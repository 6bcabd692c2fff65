export interface Findable {
  readonly title: string
  readonly words?: string
}

/** How well words are found in a text: 0 not at all, more is better. All words must be there, in any order. */
export const score = (wanted: string, { title, words = "" }: Findable): number => {
  const parts = wanted
    .toLowerCase()
    .split(/\s+/)
    .filter((part) => part !== "")
  if (parts.length === 0) return 1
  const low = title.toLowerCase()
  const more = words.toLowerCase()
  let sum = 0
  for (const part of parts) {
    const at = low.indexOf(part)
    if (at === 0) sum += 4
    else if (at > 0) sum += /[\s:/-]/.test(low[at - 1]!) ? 3 : 2
    else if (more.includes(part)) sum += 1
    else return 0
  }
  return sum / parts.length
}

/** What was found, the best first; what is equally good stays in its order. */
export const find = <A extends Findable>(wanted: string, all: ReadonlyArray<A>): ReadonlyArray<A> =>
  all
    .map((one, index) => ({ one, index, score: score(wanted, one) }))
    .filter((found) => found.score > 0)
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .map(({ one }) => one)
