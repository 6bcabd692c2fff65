import { useCallback, useMemo, useRef, useState } from "react"
import type { Chapter } from "./chapters.logic.ts"
import type { Row } from "./rows.logic.ts"

/** A part of the past that is not here, in the place of its rows. */
export interface Gap {
  readonly kind: "gap"
  readonly key: string
  readonly seq: number
  readonly chapter: Chapter
}
export type Line = Row | Gap

const chaptersKept = 6

/** The lines of a session: what is kept of it, what was fetched again, and gaps for the rest. */
export const useHistory = (
  chapters: ReadonlyArray<Chapter>,
  rows: ReadonlyArray<Row>,
  fetchRows: (chapter: Chapter) => Promise<ReadonlyArray<Row> | null>
) => {
  const [loaded, setLoaded] = useState<ReadonlyMap<number, ReadonlyArray<Row>>>(new Map())
  const [problem, setProblem] = useState<unknown>(null)
  /** In the order in which they were asked for. */
  const asked = useRef(new Set<number>())
  const kept = useRef(loaded)
  const past = useMemo(
    () =>
      chapters.flatMap((chapter): ReadonlyArray<Line> => {
        const { from, to } = chapter
        return loaded.get(from) ?? [{ kind: "gap", key: `gap-${from}`, seq: to, chapter }]
      }),
    [chapters, loaded]
  )
  const lines = useMemo((): ReadonlyArray<Line> => (past.length === 0 ? rows : [...past, ...rows]), [past, rows])

  /** Fetches a chapter that came into sight; the one that was asked for first goes, once there are many. */
  const open = useCallback(
    async (chapter: Chapter) => {
      const { from } = chapter
      if (asked.current.has(from)) return
      asked.current.add(from)
      try {
        const found = await fetchRows(chapter)
        setProblem(null)
        // It was divided, and is other chapters now.
        if (found === null) {
          asked.current.delete(from)
          return
        }
        const all = new Map([...kept.current, [from, found]])
        for (const far of asked.current) {
          if (all.size <= chaptersKept) break
          if (all.delete(far)) asked.current.delete(far)
        }
        kept.current = all
        setLoaded(all)
      } catch (error) {
        asked.current.delete(from)
        setProblem(error)
      }
    },
    [fetchRows]
  )
  return { lines, past, open, problem }
}
