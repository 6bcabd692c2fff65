import type { Highlight } from "@troupe/domain/api/Search"

/** No text has these: they are taken out of what is kept. */
const marks = { begin: "\u0001", end: "\u0002" }

/** How the database marks what fits in a piece. */
export const headline = `StartSel=${marks.begin}, StopSel=${marks.end}, MaxWords=40, MinWords=20, MaxFragments=1`

/** A piece without its marks, and where they were. */
export const unmarked = (marked: string): Pick<Highlight, "text" | "ranges"> => {
  const ranges: Array<readonly [number, number]> = []
  let text = ""
  for (const [at, piece] of marked.split(marks.begin).entries()) {
    const [inside = "", ...outside] = at === 0 ? ["", piece] : piece.split(marks.end)
    if (inside !== "") ranges.push([text.length, text.length + inside.length])
    text += inside + outside.join("")
  }
  return { text, ranges }
}
