import type { SearchHit } from "@troupe/client"

export interface Piece {
  readonly text: string
  readonly isFound: boolean
}

/** A text cut where what was looked for begins and ends. */
export const pieces = (
  text: string,
  ranges: ReadonlyArray<readonly [from: number, to: number]>
): ReadonlyArray<Piece> => {
  const found: Array<Piece> = []
  let at = 0
  for (const [from, to] of ranges) {
    if (from > at) found.push({ text: text.slice(at, from), isFound: false })
    found.push({ text: text.slice(Math.max(at, from), to), isFound: true })
    at = Math.max(at, to)
  }
  if (at < text.length) found.push({ text: text.slice(at), isFound: false })
  return found
}

/** What is shown of a hit below its title: what was said rather than what it is called. */
export const shownOf = ({ highlights }: SearchHit) => highlights.find(({ field }) => field !== "title") ?? null
