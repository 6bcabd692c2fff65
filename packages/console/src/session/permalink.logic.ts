import type { Line } from "./useHistory.ts"

const isFleeting = (kind: Line["kind"]): boolean => kind === "writing" || kind === "working" || kind === "queued"

/** The place in the log by which a line is found again; null for what is not recorded, or will stand elsewhere. */
export const placeOfLine = ({ kind, seq }: Line): number | null => {
  if (isFleeting(kind) || seq === 0) return null
  // A turn's end is behind the last that was shown of it.
  return kind === "end" ? seq + 1 : seq
}

/**
 * The line that shows what is at a place of the log, or the last one before it: several events may make one line. A turn that was tried
 * again stands where it began, so lines are not always in the order of the log.
 */
export const lineAt = (lines: ReadonlyArray<Line>, at: number): number => {
  let found = -1
  let nearest = 0
  for (const [index, line] of lines.entries()) {
    if (line.kind === "gap") {
      if (line.chapter.from <= at && at <= line.chapter.to) return index
      continue
    }
    const place = placeOfLine(line)
    if (place === null || (place > at && found >= 0)) continue
    if (found < 0 || (place <= at && place > nearest)) {
      found = index
      nearest = place <= at ? place : 0
    }
  }
  return found
}

/** The address at which a page opens on a line. */
export const linkTo = (page: string, at: number): string => `${page}?at=${at}`
