/**
 * A unified diff of two texts, by Myers' algorithm. Where the texts differ in more lines than it is worth finding the
 * shortest way for, the middle is replaced whole: still right, only longer.
 */
export const unifiedDiff = (path: string, before: string | null, after: string | null, context = 3): string => {
  const a = linesOf(before)
  const b = linesOf(after)
  const hunks = hunksOf(edits(a, b), context)
  if (hunks.length === 0) return ""
  const header = [
    `--- ${before === null ? "/dev/null" : `a/${path}`}`,
    `+++ ${after === null ? "/dev/null" : `b/${path}`}`
  ]
  return [...header, ...hunks.flatMap((hunk) => formatHunk(hunk))].join("\n") + "\n"
}

type Kind = " " | "-" | "+"

interface Edit {
  readonly kind: Kind
  readonly line: string
  /** Lines of either text that come before it. */
  readonly a: number
  readonly b: number
}

/** A line keeps its end, so that a last one without differs from one with. */
const linesOf = (text: string | null): ReadonlyArray<string> => text?.match(/[^\n]*\n|[^\n]+$/g) ?? []

const edits = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): ReadonlyArray<Edit> => {
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start++
  let end = 0
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++
  const kinds = [
    ...Array<Kind>(start).fill(" "),
    ...shortest(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...Array<Kind>(end).fill(" ")
  ]
  let x = 0
  let y = 0
  return kinds.map((kind) => {
    const edit = { kind, line: (kind === "+" ? b[y] : a[x])!, a: x, b: y }
    if (kind !== "+") x++
    if (kind !== "-") y++
    return edit
  })
}

const distanceMax = 1_000

const shortest = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): ReadonlyArray<Kind> => {
  const furthest = new Int32Array(2 * distanceMax + 3)
  const middle = distanceMax + 1
  const trace: Array<Int32Array> = []
  for (let distance = 0; distance <= Math.min(distanceMax, a.length + b.length); distance++) {
    trace.push(furthest.slice(middle - distance - 1, middle + distance + 2))
    for (let k = -distance; k <= distance; k += 2) {
      const down = k === -distance || (k !== distance && furthest[middle + k - 1]! < furthest[middle + k + 1]!)
      let x = down ? furthest[middle + k + 1]! : furthest[middle + k - 1]! + 1
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++
      furthest[middle + k] = x
      if (x >= a.length && x - k >= b.length) return wayBack(trace, a.length, b.length)
    }
  }
  return [...Array<Kind>(a.length).fill("-"), ...Array<Kind>(b.length).fill("+")]
}

const wayBack = (trace: ReadonlyArray<Int32Array>, width: number, height: number): ReadonlyArray<Kind> => {
  const kinds: Array<Kind> = []
  let x = width
  let y = height
  for (let distance = trace.length - 1; distance >= 0; distance--) {
    const furthest = trace[distance]!
    const at = (diagonal: number) => furthest[diagonal + distance + 1]!
    const k = x - y
    const down = k === -distance || (k !== distance && at(k - 1) < at(k + 1))
    const fromX = distance === 0 ? 0 : down ? at(k + 1) : at(k - 1)
    const fromY = distance === 0 ? 0 : fromX - (down ? k + 1 : k - 1)
    const edited = distance === 0 ? 0 : 1
    while (x > fromX + (down ? 0 : edited) && y > fromY + (down ? edited : 0)) {
      kinds.push(" ")
      x--
      y--
    }
    if (edited === 1) kinds.push(down ? "+" : "-")
    x = fromX
    y = fromY
  }
  return kinds.toReversed()
}

const hunksOf = (all: ReadonlyArray<Edit>, context: number): ReadonlyArray<ReadonlyArray<Edit>> => {
  const hunks: Array<{ from: number; to: number }> = []
  all.forEach(({ kind }, index) => {
    if (kind === " ") return
    const from = Math.max(0, index - context)
    const to = Math.min(all.length, index + context + 1)
    const last = hunks.at(-1)
    if (last !== undefined && from <= last.to) last.to = to
    else hunks.push({ from, to })
  })
  return hunks.map(({ from, to }) => all.slice(from, to))
}

const formatHunk = (hunk: ReadonlyArray<Edit>): ReadonlyArray<string> => {
  const { a, b } = hunk[0]!
  const range = (before: number, count: number) =>
    `${count === 0 ? before : before + 1}${count === 1 ? "" : `,${count}`}`
  const count = (without: Kind) => hunk.filter(({ kind }) => kind !== without).length
  return [
    `@@ -${range(a, count("+"))} +${range(b, count("-"))} @@`,
    ...hunk.flatMap(({ kind, line }) =>
      line.endsWith("\n") ? [kind + line.slice(0, -1)] : [kind + line, "\\ No newline at end of file"]
    )
  ]
}
